"""Connectors: each talks to one back end, under policies.

Promises: every question offered is answered exactly once, by `callBy`, whatever the back end does; a sick back end takes
no more than its own line and its own slots. Needs: a clock and randomness. Emits: `esclusa_connector_*` and one log line
a call.

In this order a question meets: its line (bounded), `callBy`, the breaker, the concurrency limit, and then, attempt by
attempt, the timeout and the retry.
"""
