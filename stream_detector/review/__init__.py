"""The review console: what people decide about violations, and the pages where they do it.

`Store` is everything behind the pages; `review.web` are the pages; `ingest` and `outbox` join the store to Kafka.
"""
