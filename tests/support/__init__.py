"""What tests share. Each stand-in is in a file that is named for what it stands in for, and there is one for each thing.

Stand-ins:

    asgi.py                 the server before an ASGI application, and who asks: `Exchange`
    country.py              bodies outside, on sockets, with a ledger of every call: `Country`
    failing_connection.py   a connection to SQLite on a broken disk: `FailingConnection`
    fake_hub.py             the hub, behind its API: `FakeHub`
    faulty_log.py           a process's log, which refuses, holds or loses what it is told to: `FaultyLog`
    service.py              the service that the command line asks: `Stub`
    sink.py                 where log lines go: `Sink`

Real things, made easy to start and to disturb:

    api.py                  the HTTP edge on a socket, before any hub: `served`, `faked`
    hub.py                  one process of the hub over the engine `memory`: `running`, `process`
    program.py              `esclusa run`, as a process of its own: `Program`
    callers.py              people who ask such a process whatever is done to it, and what they were told: `Callers`, `Ledger`

What happens in an order that a seed decides (tests/model):

    play.py                 the dice, the stage, and the telling of it: `Play`, `perform`
    calls.py                a question on its way to the bodies: `CallPlay`
    reads.py                a request as collectors and readers see it: `ReadPlay`

Waiting:

    poll.py                 for what is outside and gives no signal: `until`; `pause`

Public, for users' own tests too, and so in `esclusa.testing`: virtual time, a scripted back end, the stage, the exams.
What one folder alone needs is in that folder: `unit/connectors/scene.py`, `unit/connectors/transport/scripted.py`
(back ends on sockets, a clock that is moved by hand), `unit/connectors/transport/trust.py` (certificates),
`unit/edges/http/listening.py` and `sockets.py` (connections before an application, and over sockets of the test's own).
"""
