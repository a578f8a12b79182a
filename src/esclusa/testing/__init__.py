"""For tests, this project's and its users': virtual time, the exams of the ports, back ends to call.

Production code never imports it.
"""
