"""More words for a WordPiece vocabulary that knows one language only.

all-MiniLM-L6-v2 was made for English. It spells Russian, Greek, Arabic, Korean or Turkish words letter by letter, lacks most
Chinese characters, and so would have to learn reading before it could learn anything else. Pieces that the training texts
use often are added, and each starts from the mean of what the word was read as before (as in Hewitt, "Initializing New Word
Embeddings for Pretrained Language Models", 2021), so that nothing that was learnt is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor

_CONTINUED = "##"

#: A piece has to occur this often in the training texts: one that is hardly seen would hardly be learnt.
_LEAST_SEEN = 25

#: Room for the single letters and signs that the learner begins with.
_LETTERS = 3_000


def extend_vocabulary(tokenizer: Tokenizer, texts: Iterable[str], *, pieces: int) -> Tokenizer:
    """A copy of a WordPiece tokenizer that knows more pieces; the old ones keep their numbers.

    Args:
        tokenizer: knows the old pieces.
        texts: what the network is trained on, as the tokenizer will see it.
        pieces: how many to add at most.
    """
    unknown = _words_in_parts(tokenizer, texts)
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a token of text, not of access
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=pieces * 2 + _LETTERS,
        min_frequency=_LEAST_SEEN,
        special_tokens=["[UNK]"],
        continuing_subword_prefix=_CONTINUED,
        show_progress=False,
    )
    learner.train_from_iterator((" ".join([word] * count) for word, count in unknown.items()), trainer)
    known = tokenizer.get_vocab(with_added_tokens=True)
    learnt = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    used = _usage(learner, unknown)
    fresh = [piece for piece, _ in learnt if piece not in known and used[piece] >= _LEAST_SEEN]
    fresh = sorted(fresh, key=lambda piece: -used[piece])[:pieces]
    state = json.loads(tokenizer.to_str())
    state["model"]["vocab"] |= {piece: len(known) + index for index, piece in enumerate(fresh)}
    extended = Tokenizer.from_str(json.dumps(state))
    extended.encode_special_tokens = True
    return extended


def _words_in_parts(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs that the tokenizer has to take apart, or can't read at all."""
    normalizer, pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text)))
    known = tokenizer.get_vocab(with_added_tokens=True)
    return Counter({word: count for word, count in counts.items() if word not in known and count >= 2 and not word.isspace()})


def _usage(learner: Tokenizer, words: Mapping[str, int]) -> Counter[str]:
    used: Counter[str] = Counter()
    for word, count in words.items():
        for piece in learner.encode(word).tokens:
            used[piece] += count
    return used


def extended_embeddings(old: Tensor, before: Tokenizer, after: Tokenizer) -> Tensor:
    """Word embeddings for an extended vocabulary.

    Args:
        old: (old vocabulary, width).
        before: the tokenizer that `old` belongs to.
        after: what `extend_vocabulary` made of it.

    Returns:
        (new vocabulary, width); the old rows unchanged, each new one the mean of the rows that its piece was read as before.
    """
    known = before.get_vocab(with_added_tokens=True)
    unknown = known["[UNK]"]
    added = sorted((number, piece) for piece, number in after.get_vocab(with_added_tokens=True).items() if piece not in known)
    rows = [old[list(_read_before(piece, known) or [unknown])].mean(dim=0) for _, piece in added]
    return torch.cat([old, torch.stack(rows)]) if rows else old


def _read_before(piece: str, known: Mapping[str, int]) -> Sequence[int]:
    """Greedy longest match, as WordPiece does; nothing when a part can't be read."""
    prefix = _CONTINUED if piece.startswith(_CONTINUED) else ""
    rest, found = piece.removeprefix(_CONTINUED), []
    while rest:
        length = next((n for n in range(len(rest), 0, -1) if prefix + rest[:n] in known), 0)
        if not length:
            return []
        found.append(known[prefix + rest[:length]])
        rest, prefix = rest[length:], _CONTINUED
    return found


#: Special tokens by what they are for; bases of RoBERTa's and MPNet's family have other names for them, and where a base
#: has both, these are the ones that it was trained with.
_ROLES = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}


def transplanted_embeddings(old: Tensor, before: Tokenizer, after: Tokenizer) -> Tensor:
    """Word embeddings for a tokenizer with other numbers, so that a network reads what another one reads.

    MPNet has BERT's pieces under other numbers; other bases have other pieces. A piece that both know keeps its embedding,
    any other starts from the mean of what the base reads it as (Gee et al., "Fast Vocabulary Transfer for Language Model
    Compression", 2022).

    Args:
        old: (old vocabulary, width).
        before: the tokenizer that `old` belongs to.
        after: the tokenizer to read with, of BERT's family.

    Returns:
        (new vocabulary, width), in the order of `after`.
    """
    known = before.get_vocab(with_added_tokens=True)
    unknown = known["[UNK]"] if "[UNK]" in known else known["<unk>"]
    word_piece = json.loads(before.to_str())["model"]["type"] == "WordPiece"
    pieces = sorted(after.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    rows = [_rows_before(piece, before, known, word_piece=word_piece) or [unknown] for piece, _ in pieces]
    return torch.stack([old[list(numbers)].mean(dim=0) for numbers in rows])


def _rows_before(piece: str, before: Tokenizer, known: Mapping[str, int], *, word_piece: bool) -> Sequence[int]:
    if _ROLES.get(piece) in known:
        return [known[_ROLES[piece]]]
    if word_piece:
        return [known[piece]] if piece in known else _read_before(piece, known)
    continued = piece.startswith(_CONTINUED) and piece != _CONTINUED
    for name in [piece.removeprefix(_CONTINUED)] if continued else ["▁" + piece, "Ġ" + piece, piece]:
        if name in known:
            return [known[name]]
    numbers: list[int] = before.encode(piece.removeprefix(_CONTINUED), add_special_tokens=False).ids
    return numbers
