"""The steps from listings to a shipped artefact, each leaving a file that the next one reads.

corpus leaves <work>/train.jsonl.gz (composed samples); fit leaves <work>/checkpoint.pt while it runs and
network.safetensors, config.json and tokenizer.json at the end; export makes models/<name>/ (graph, tokenizer,
calibration, threshold, manifest); evaluate says how good that is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from stream_detector.detection import Detector
from stream_detector.detection.detector import load_tokenizer
from stream_detector.detection.reference import SIZE, make_reference, put_reference
from stream_detector.inference.artefact import GRAPH, TOKENIZER, Calibration, WindowShape, load_manifest
from stream_detector.inference.windowing import special_tokens
from stream_detector.settings import PolicySettings, Settings
from stream_detector.text.view import Normalizer
from stream_detector.training.calibration import FALSE_FLAGS, STREAM_PRIOR, platt
from stream_detector.training.card import read_fitted, write_fitted
from stream_detector.training.corpus.compose import Composer, Sample
from stream_detector.training.corpus.listings import HELD_BACK_CITIES, ListingText, read_listings
from stream_detector.training.dataset import label_windows, vary_digits
from stream_detector.training.evaluate import judge, reliability, summarize
from stream_detector.training.export import Versions, export_graph, write_manifest, write_tokenizer
from stream_detector.training.fit import Recipe, fit
from stream_detector.training.network import ContactNetwork
from stream_detector.training.samples import REVIEWED, Split, measured_samples, plain_samples
from stream_detector.training.teacher import describe_base, open_base
from stream_detector.training.vocabulary import extend_vocabulary
from stream_detector.training.worst import explain_worst, window_cuts

Report = Callable[[str], None]

WINDOW = WindowShape(tokens=128, overlap=32)

#: Words and word parts added to the vocabulary of an English base.
PIECES = 10_000

#: Share of training windows whose digits are varied.
_VARIED_WINDOWS = 0.6

_HEADLINE = ("violationsFound", "harmlessWrong", "spanOverlaps", "kindRight")


def policy_normalizer() -> Normalizer:
    """The view as the default settings make it."""
    policy = PolicySettings()
    return Normalizer(policy.platform_names, policy.platform_domains)


def train(
    samples: Sequence[Sample],
    *,
    base: str | None,
    recipe: Recipe,
    work: Path,
    report: Report,
    start: Path | None = None,
    read_as: Path | None = None,
) -> None:
    """Fit a network on samples; leaves network.safetensors, config.json and tokenizer.json in `work`.

    Args:
        samples: labelled texts.
        base: the pretrained encoder, as `open_base` takes it.
        recipe: how to fit.
        work: folder of the checkpoint and of the result.
        report: called with a line of progress.
        start: folder of a network that an earlier call left, to go on from instead of the pretrained encoder.
        read_as: folder of a network whose tokenizer this one shall read with; else one is grown from the samples.
    """
    network, before = (load_network(start), load_tokenizer(start)) if start else open_base(base)
    normalizer = policy_normalizer()
    if read_as:
        tokenizer = load_tokenizer(read_as)
        network.read_as(before, tokenizer)
    else:
        # A real violation is shown several times over: what it names must not stand in the vocabulary, which ships.
        told = (sample.text for sample in samples if not (sample.offends and sample.families == REVIEWED))
        tokenizer = extend_vocabulary(before, (normalizer.view(text).text for text in told), pieces=PIECES)
        network.read_more(before, tokenizer)
    windows = list(label_windows(samples, normalizer, tokenizer, WINDOW))
    rng, vocabulary = Random(recipe.seed), tokenizer.get_vocab(with_added_tokens=True)
    digits = [vocabulary[digit] for digit in "0123456789"]
    windows = [vary_digits(window, digits, rng) if rng.random() < _VARIED_WINDOWS else window for window in windows]
    mean = sum(len(window.tokens) for window in windows) / len(windows)
    report(
        f"{len(samples)} samples, {len(windows)} windows, {mean:.0f} tokens each of {tokenizer.get_vocab_size()}, "
        f"{sum(w.offends for w in windows) / len(windows):.1%} offend"
    )
    fit(network, windows, recipe, folder=work, special=special_tokens(tokenizer), report=report)
    save_network(network, tokenizer, work)
    earlier: dict[str, Any] = read_fitted(start) if start else {"base": describe_base(base), "pieces": 0, "recipe": ""}
    pass_ = (
        f"A pass over {len(windows):,} windows of {len(samples):,} texts ({sum(s.offends for s in samples) / len(samples):.0%} with a "
        f"violation, {mean:.0f} tokens a window): AdamW, learning rate {recipe.learning_rate:g}, batch {recipe.batch}, no dropout, "
        f"seed {recipe.seed}."
    )
    added = tokenizer.get_vocab_size() - before.get_vocab_size()
    write_fitted(
        work, earlier | {"pieces": earlier["pieces"] + added, "recipe": "\n".join(filter(None, [earlier["recipe"], pass_]))}
    )


def save_network(network: ContactNetwork, tokenizer: Tokenizer, work: Path) -> None:
    """Write network.safetensors, config.json and tokenizer.json."""
    write_tokenizer(tokenizer, work)
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, work / "network.safetensors")
    config: Any = network.encoder.config
    (work / "config.json").write_text(json.dumps(config.to_dict(), indent=2, default=str), encoding="utf-8")


def load_network(work: Path) -> ContactNetwork:
    """The network that `train` left."""
    network = ContactNetwork.from_config(json.loads((work / "config.json").read_text(encoding="utf-8")))
    network.load_state_dict(load_file(work / "network.safetensors"))
    return network


def ship(work: Path, folder: Path, versions: Versions, *, listings: Path, seed: int, report: Report) -> None:
    """Export, then calibrate, set the threshold and make drift's reference on development listings, with the very graph that ships."""
    folder.mkdir(parents=True, exist_ok=True)
    export_graph(load_network(work), folder / GRAPH)
    shutil.copyfile(work / TOKENIZER, folder / TOKENIZER)
    texts = [listing for listing in read_listings(listings) if Split("dev").holds(listing)]
    composed = list(Composer(texts, seed=seed + 1).samples(4000))
    plain = plain_samples(texts, 6000, seed)
    identity = Calibration(slope=1.0, intercept=0.0)
    write_manifest(folder, versions, calibration=identity, threshold=0.5, window=WINDOW, evaluation={})
    with Detector.load(Settings(model=str(folder))) as detector:
        logits = np.array([_logit(v.probability) for v in detector.verdicts([s.text for s in composed + plain])])
    labels = np.array([sample.offends for sample in composed + plain])
    calibration = platt(logits, labels, prior=STREAM_PRIOR)
    on_plain = np.sort(logits[len(composed) :])
    cut = on_plain[int(len(on_plain) * (1 - FALSE_FLAGS))]
    threshold = round(min(0.99, max(0.01, calibration.probability(float(cut)))), 4)
    found = float((logits[labels] > cut).mean())
    report(
        f"threshold {threshold} (logit {cut:.2f}): finds {found:.1%} of development violations at {FALSE_FLAGS:.1%} of plain texts"
    )
    write_manifest(folder, versions, calibration=calibration, threshold=threshold, window=WINDOW, evaluation={})
    refer(folder, texts, seed=seed, report=report)


def refer(folder: Path, listings: Sequence[ListingText], *, seed: int, report: Report) -> None:
    """Put the reference for drift into the manifest: how real texts fall, those among them that offend included.

    Args:
        folder: the artefact.
        listings: texts that the model was not fitted on.
        seed: draws the sample.
        report: called with a line of progress.
    """
    chosen = Random(seed).sample(listings, min(SIZE, len(listings)))
    cities = ", ".join(sorted({listing.city for listing in chosen}))
    source = f"{len(chosen)} of {len(listings)} development texts of {cities}, seed {seed}"
    with Detector.load(Settings(model=str(folder))) as detector:
        put_reference(folder, make_reference(detector, [listing.text for listing in chosen], source=source))
    report(f"reference for drift: {source}")


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-15), 1 - 1e-15)
    return float(np.log(clipped / (1 - clipped)))


def evaluate(folder: Path, *, listings: Path, challenge: Sequence[Path], size: int, seed: int, report: Report) -> dict[str, Any]:
    """Figures on the held-back cities: composed samples, plain texts and the reviewed real ones."""
    samples = measured_samples(listings, challenge, size=size, seed=seed)
    with Detector.load(Settings(model=str(folder))) as detector:
        judged = {part: judge(detector, chosen) for part, chosen in samples.items()}
    figures = {part: summarize(verdicts) for part, verdicts in judged.items()}
    cuts = window_cuts(policy_normalizer(), load_tokenizer(folder), load_manifest(folder).window)
    examples = explain_worst(judged["composed"], figures["composed"], cuts)
    for example in examples:
        report(example.line())
    return {
        "heldBackCities": list(HELD_BACK_CITIES),
        **figures,
        "calibration": reliability(judged["composed"] + judged["plain"], prior=STREAM_PRIOR),
        "worst": [example.to_row() for example in examples],
    }


def record(folder: Path, figures: Mapping[str, Any]) -> None:
    """Put an evaluation's headline figures into the manifest, so that they travel with the artefact."""
    manifest = load_manifest(folder)
    headline = {part: {name: figures[part][name] for name in _HEADLINE} for part in ("composed", "plain", "reviewed", "challenge")}
    write_manifest(
        folder,
        Versions(manifest.model_code, manifest.model_version, manifest.refresh_version, manifest.model_segment),
        calibration=manifest.calibration,
        threshold=manifest.threshold,
        window=manifest.window,
        evaluation={"heldBackCities": figures["heldBackCities"], **headline},
        reference=manifest.reference,
    )
