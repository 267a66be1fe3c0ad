"""Repeat offenders: what each partner did in the last day, week and month, and who crossed a level.

`rules`, `cases`, `totals`, `partner` and `crossings` are pure: no Kafka, no clock. `app` and the modules it is put together from
need the extra "aggregate".
"""
