"""The tokenizer that an artefact ships: the base model's WordPiece, made robust against what evasion does to words."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Regex, Tokenizer, pre_tokenizers

#: WordPiece turns a word of more than 100 characters into one unknown token: a text without spaces would go unread.
_LONGEST_WORD = 40


def build_tokenizer(base: Path) -> Tokenizer:
    """Adapt a BERT tokenizer.

    Each digit becomes a token of its own, so that the shape of a number (how many digits, how grouped) is plain to see
    instead of hidden in arbitrary pieces, and words are cut every 40 characters.

    Args:
        base: folder of the base model, with tokenizer.json.
    """
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.BertPreTokenizer(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(f".{{1,{_LONGEST_WORD}}}"), behavior="isolated"),
        ]
    )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # as the detector does; it isn't saved
    return tokenizer
