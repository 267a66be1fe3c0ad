"""The network of a shipped graph as a torch module again: what a compiler for other hardware can trace.

An artefact holds a graph of ONNX Runtime's fused operators in 8 bits, which no other compiler takes. Its weights are all there,
though, so that whoever has the artefact can compile it, without the checkpoint that it was exported from; and programs that are
made of them judge by the very weights that threshold and calibration were set for. Only plain operators of torch are used, so
that any release of it will do, including the old one of Inferentia 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from stream_detector.errors import ArtefactError

Array = NDArray[np.float32]

_MULTIPLICATIONS = ("MatMul", "MatMulInteger")


class _Layer(nn.Module):
    """One encoder layer of BERT (Devlin et al., "BERT", 2019), normalized behind attention and behind the feed-forward part."""

    def __init__(self, attention: nn.Linear, heads: int, rest: Sequence[nn.Module]) -> None:
        super().__init__()
        self.attention, self.heads = attention, heads
        self.out, self.first_norm, self.up, self.down, self.second_norm = rest

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        rows, length, width = hidden.shape
        # (3, rows, heads, length, width of a head)
        parts = self.attention(hidden).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].transpose(-1, -2) / float(np.sqrt(width // self.heads)) + bias
        mixed = (torch.softmax(scores, dim=-1) @ parts[2]).transpose(1, 2).reshape(rows, length, width)
        hidden = self.first_norm(self.out(mixed) + hidden)
        return self.second_norm(self.down(functional.gelu(self.up(hidden))) + hidden)


class GraphNetwork(nn.Module):
    """A network with the weights of an artefact's graph; takes and gives what `ContactNetwork` does.

    Args:
        file: model.onnx, of any precision that `export_graph` writes.

    Raises:
        ArtefactError: it isn't a graph of BERT's shape with this program's two heads.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        try:
            graph = _Graph(file)
            words, positions, kinds, *norm = graph.embeddings()
            self.words = nn.Embedding.from_pretrained(words)
            # There is one sentence: what says to which a token belongs is the same everywhere.
            self.positions = nn.Parameter(positions + kinds[0], requires_grad=False)
            self.norm = _norm(norm[0], norm[1], graph.epsilon)
            self.layers = nn.ModuleList(_layers(graph))
            heads = {
                name: _linear(graph.named(f"/{name}/"), graph.weight(f"{name}.bias")) for name in ("tagger", "attention", "verdict")
            }
        except (LookupError, ValueError) as error:
            raise ArtefactError(
                f"{file}: not a graph of BERT's shape as train export writes it ({error}); give --work, the folder of its checkpoint"
            ) from None
        self.tagger, self.attention, self.verdict = heads["tagger"], heads["attention"], heads["verdict"]

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score windows.

        Args:
            input_ids: (batch, length) token numbers.
            attention_mask: (batch, length), 1 for tokens and 0 for padding.

        Returns:
            (batch,) window logits and (batch, length, tags) tag logits.
        """
        bias = (1.0 - attention_mask.to(torch.float32)) * -10000.0
        hidden = self.norm(self.words(input_ids) + self.positions[: input_ids.shape[1]])
        for layer in self.layers:
            hidden = layer(hidden, bias[:, None, None, :])
        weights = torch.softmax(self.attention(hidden).squeeze(-1) + bias, dim=-1)
        pooled = (weights.unsqueeze(-1) * hidden).sum(dim=1)
        logits = self.verdict(torch.cat([hidden[:, 0], pooled], dim=-1)).squeeze(-1)
        return logits, self.tagger(hidden)


class _Graph:
    """Finds weights in a graph, in the order in which they are used."""

    def __init__(self, file: Path) -> None:
        graph = onnx.load(str(file)).graph
        self._nodes = list(graph.node)
        self._initializers = {initializer.name: initializer for initializer in graph.initializer}
        self.epsilon = self._attribute(self._first("EmbedLayerNormalization", "QEmbedLayerNormalization"), "epsilon")

    def embeddings(self) -> list[Tensor]:
        """Of words, positions and kinds of sentence; then scale and shift of their normalization."""
        node = self._first("EmbedLayerNormalization", "QEmbedLayerNormalization")
        return [self.weight(name) for name in node.input[2:7]]

    def encoder(self) -> Iterator[tuple[str, Any]]:
        """What each layer is made of, node by node: its kind and itself."""
        for node in self._nodes:
            if node.op_type in {"Attention", "QAttention", "SkipLayerNormalization", "BiasGelu"}:
                yield node.op_type.removeprefix("Q"), node
            elif node.op_type in _MULTIPLICATIONS and "/encoder/" in node.output[0]:
                yield "MatMul", node

    def named(self, part: str) -> Tensor:
        """The weights that the head of a name multiplies by, (in, out)."""
        for node in self._nodes:
            if node.op_type in (*_MULTIPLICATIONS, "Gemm") and node.output[0].startswith(part):
                weight = self.weight(node.input[1])
                return weight.T if node.op_type == "Gemm" and self._attribute(node, "transB") else weight
        raise LookupError(f"no head {part}")

    def heads(self, node: Any) -> int:
        """Attention heads of a layer."""
        return int(self._attribute(node, "num_heads"))

    def weight(self, name: str) -> Tensor:
        """A weight in 32 bits: (quantized - zero point) * scale, one scale for all or one a column."""
        stem = name.removesuffix("_quantized")
        if stem == name:
            return torch.from_numpy(self._array(name).astype(np.float32))
        zero, scale = self._array(f"{stem}_zero_point"), self._array(f"{stem}_scale")
        return torch.from_numpy((self._array(name).astype(np.float32) - zero.astype(np.float32)) * scale)

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._initializers:
            raise LookupError(f"no weights {name}")
        return numpy_helper.to_array(self._initializers[name])

    def _first(self, *kinds: str) -> Any:
        for node in self._nodes:
            if node.op_type in kinds:
                return node
        raise LookupError(f"no {kinds[0]}")

    @staticmethod
    def _attribute(node: Any, name: str) -> Any:
        return next((onnx.helper.get_attribute_value(found) for found in node.attribute if found.name == name), None)


#: The nodes of a layer, in order.
_SHAPE = ("Attention", "MatMul", "SkipLayerNormalization", "MatMul", "BiasGelu", "MatMul", "SkipLayerNormalization")


def _layers(graph: _Graph) -> Iterator[_Layer]:
    nodes = list(graph.encoder())
    for at in range(0, len(nodes), len(_SHAPE)):
        kinds, layer = zip(*nodes[at : at + len(_SHAPE)], strict=True)
        if kinds != _SHAPE:
            raise ValueError(f"a layer is {', '.join(kinds)}")
        attention, out, first, up, gelu, down, second = layer
        matrix, bias = graph.weight(attention.input[1]), graph.weight(attention.input[2])
        yield _Layer(
            _linear(matrix, bias),
            graph.heads(attention),
            [
                _linear(graph.weight(out.input[1]), graph.weight(first.input[4])),
                _norm(graph.weight(first.input[2]), graph.weight(first.input[3]), graph.epsilon),
                _linear(graph.weight(up.input[1]), graph.weight(gelu.input[1])),
                _linear(graph.weight(down.input[1]), graph.weight(second.input[4])),
                _norm(graph.weight(second.input[2]), graph.weight(second.input[3]), graph.epsilon),
            ],
        )


def _linear(matrix: Tensor, bias: Tensor) -> nn.Linear:
    """Of ONNX's weights, (in, out)."""
    linear = nn.Linear(*matrix.shape)
    linear.weight.data, linear.bias.data = matrix.T.contiguous(), bias
    return linear


def _norm(scale: Tensor, shift: Tensor, epsilon: float) -> nn.LayerNorm:
    norm = nn.LayerNorm(len(scale), eps=epsilon)
    norm.weight.data, norm.bias.data = scale, shift
    return norm
