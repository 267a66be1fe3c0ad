"""The detector that the console scores redactions with: loaded when it is first needed, and then kept."""

from __future__ import annotations

import threading
from http import HTTPStatus

import structlog

from stream_detector.detection.redaction import Scorer
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.review.web.refusals import PageError
from stream_detector.settings import Settings


class LazyScorer:
    """Loads the detector of the settings at the first call. Threads that come meanwhile wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._scorer: Scorer | None = None

    def __call__(self) -> Scorer:
        """The detector.

        Raises:
            PageError: there is no model here.
        """
        with self._lock:
            if self._scorer is None:
                from stream_detector.detection import Detector  # noqa: PLC0415 - most of a console's life goes without a model

                try:
                    self._scorer = Detector.load(self._settings)
                except (ArtefactError, ConfigurationError) as error:
                    structlog.get_logger().error("the model could not be loaded", error=str(error))
                    raise PageError(
                        HTTPStatus.SERVICE_UNAVAILABLE,
                        "The console has no model to check a redaction with.",
                        "Set model to the one that the workers use.",
                    ) from None
            return self._scorer
