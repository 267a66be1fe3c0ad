"""LitServe with the shipped graph, as its documentation shows it.

    python benchmarks/http_load_servers/litserve_peer.py MODEL_FOLDER PORT

The text is cut off after 512 tokens, which is one run on all cores. It gives the probability and nothing else: no normalized
view, no evidence.
"""

from __future__ import annotations

import sys

import litserve
import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class Scoring(litserve.LitAPI):
    """Tokenize, run, answer."""

    def __init__(self, folder: str) -> None:
        super().__init__(api_path="/score")
        self._folder = folder

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        """Load the model, in the worker's process."""
        self._tokenizer = Tokenizer.from_file(f"{self._folder}/tokenizer.json")
        self._tokenizer.enable_truncation(512)
        self._session = onnxruntime.InferenceSession(f"{self._folder}/model.onnx", providers=["CPUExecutionProvider"])

    def decode_request(self, request: dict[str, dict[str, str]]) -> str:
        """The text in a request."""
        return " ".join(request["attributes"].values())

    def predict(self, text: str) -> float:
        """The logit of a text."""
        encoding = self._tokenizer.encode(text)
        feeds = {"input_ids": np.array([encoding.ids]), "attention_mask": np.array([encoding.attention_mask])}
        return float(self._session.run(["logit"], feeds)[0][0])

    def encode_response(self, logit: float) -> dict[str, float]:
        """The answer."""
        return {"probability": float(1 / (1 + np.exp(-logit)))}


if __name__ == "__main__":
    litserve.LitServer(Scoring(sys.argv[1]), accelerator="cpu").run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
