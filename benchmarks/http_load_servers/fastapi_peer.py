"""Plain FastAPI with transformers' pipeline, as tutorials show it.

    python benchmarks/http_load_servers/fastapi_peer.py onnx MODEL_FOLDER PORT     # the shipped graph, behind the pipeline
    python benchmarks/http_load_servers/fastapi_peer.py torch FOLDER PORT          # a fitted network's encoder, in PyTorch

The text is cut off after 512 tokens, which is one run on all cores. It gives label and score and nothing else. In PyTorch the
encoder has its weights and the head is the library's own, untrained: what it says means nothing, what it costs is the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
import uvicorn
from fastapi import FastAPI
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    pipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput


class OnnxClassifier(PreTrainedModel):
    """A graph in the place of a network in PyTorch."""

    config_class = BertConfig

    def __init__(self, folder: Path) -> None:
        super().__init__(BertConfig(num_labels=1))
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        # The pipeline asks where the parameters are.
        self.place = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> SequenceClassifierOutput:
        """Run the graph."""
        feeds = {"input_ids": input_ids.numpy().astype(np.int64), "attention_mask": attention_mask.numpy().astype(np.int64)}
        logits = self.session.run(["logit"], feeds)[0]
        return SequenceClassifierOutput(logits=torch.from_numpy(np.asarray(logits)).unsqueeze(-1))


def torch_classifier(folder: Path) -> PreTrainedModel:
    """The encoder that training left, under the library's head."""
    config = AutoConfig.for_model(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    config.num_labels = 1
    model = AutoModelForSequenceClassification.from_config(config)
    fitted = load_file(folder / "network.safetensors")
    encoder = {name.removeprefix("encoder."): tensor for name, tensor in fitted.items() if name.startswith("encoder.")}
    model.base_model.load_state_dict(encoder, strict=False)
    return model.eval()


def main() -> None:
    """Serve."""
    kind, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        model_max_length=512,
        **special,
        model_input_names=["input_ids", "attention_mask"],
    )
    model = OnnxClassifier(folder) if kind == "onnx" else torch_classifier(folder)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    app = FastAPI()

    @app.post("/score")
    def score(request: dict[str, Any]) -> dict[str, Any]:
        """Label and score."""
        found: dict[str, Any] = classify(" ".join(request["attributes"].values()), truncation=True, max_length=512)[0]
        return found

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
