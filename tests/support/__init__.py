"""What tests share. Each stand-in is in a file that is named for what it stands in for, and there is one for each thing.

Stand-ins:

    asgi.py                 the server before an ASGI application, and who asks: `Exchange`
    country.py              bodies outside, on sockets, with a ledger of every call: `Country`
    failing_connection.py   a connection to SQLite on a broken disk: `FailingConnection`
    fake_hub.py             the hub, behind its API: `FakeHub`
    faulty_log.py           a process's log, which refuses, holds or loses what it is told to: `FaultyLog`
    service.py              the service that the command line asks: `Stub`
    impostor.py             a server that shows a certificate, the right one or not, and says no more: `impostor`
    sink.py                 where log lines go: `Sink`

Real things, made easy to start and to disturb:

    api.py                  the HTTP edge on a socket, before any hub: `served`, `faked`
    hub.py                  one process of the hub over the engine `memory`: `running`, `process`
    descriptions/           descriptions of services, and what is written of them: `OPENAPI`, `WSDLS`, `checked`, `contents`
    rest.py                 what a configuration says of a REST connector: `rest`
    program.py              `esclusa run`, as a process of its own: `Program`
    installation.py         several of them on real Kafka and Cassandra: `Engines`, `InstalledPrograms`
    callers.py              people who ask such processes whatever is done to them, and what they were told: `Callers`, `Ledger`
    brokers.py              brokers of Kafka, each to be killed and stopped: `Brokers`, `leader`, `process`
    prefixes.py             names on brokers, and processes on them, for the exams of the engine: `OnKafka`, `BriskLogExam`
    log_worker.py           a member of a group that works, here or in a process of its own: `LogWorker`, `outside`
    log_scene.py            a process that appends and works while something is done to its brokers: `LogScene`, `log_scene`
    log_ledger.py           what a log acknowledged, and what its workers were given and did: `LogLedger`
    keyspaces.py            nodes of Cassandra, to be killed and stopped, and processes for exams: `Nodes`, `OnCassandra`
    load.py                 processes that write and read records meanwhile, and what they were told: `Load`
    program_scene.py        an installation that is asked while something is done to its engines: `ProgramScene`, `program_scene`
    disk.py                 what stands in the files of servers and processes: `copied`, `found`
    apart.py                a loop on a thread of its own, for servers that several tests use: `Apart`
    asking.py               somebody who asks and reads the answers as they come: `ask`, `followed`, `polled`, `final`

What happens in an order that a seed decides (tests/model):

    play.py                 the dice, the stage, and the telling of it: `Play`, `perform`
    calls.py                a question on its way to the bodies: `CallPlay`
    reads.py                a request as collectors and readers see it: `ReadPlay`

Measuring:

    measured.py             times, told beside a test's outcome, and memory: `measured`, `tell`, `resident`

Waiting:

    poll.py                 for what is outside and gives no signal: `until`; `pause`

Public, for users' own tests too, and so in `esclusa.testing`: virtual time, a scripted back end, a hostile one on a socket
with its certificates, the stage, the exams. What one folder alone needs is in that folder: `unit/connectors/scene.py`,
`unit/connectors/ordeal.py` (a connector before a hostile back end), `unit/connectors/injection.py` (what a citizen might
write), `unit/connectors/transport/calling.py` (calls of the client, and how they end),
`unit/connectors/transport/hand_clock.py` and `listener.py` (a clock and a back end moved by hand),
`unit/edges/http/listening.py` and `sockets.py` (connections before an application, and over sockets of the test's own).
"""
