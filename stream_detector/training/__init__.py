"""Makes models: corpus, fine-tuning, export, evaluation. Needs the `train` extra; nothing else imports it."""
