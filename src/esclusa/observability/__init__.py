"""The form that what a process says of itself is given: log lines to standard error, metrics for Prometheus.

Parts say it to `kernel.instrument`, and none of them imports this package: `bootstrap` puts the two together.
"""
