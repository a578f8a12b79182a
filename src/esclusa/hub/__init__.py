"""The hub: a question goes in once, every back end concerned is asked, answers show as they come.

Promises: an accepted request reaches its final state by its deadline whatever dies, what was final stays so, a call whose
answer the log has acknowledged is not repeated, and nothing personal outlives the request's expiry. Needs: the ports
`log`, `records`, `keys`; connectors. Emits: `esclusa_hub_*`, a log line at submit, at each call's end and at final.
"""
