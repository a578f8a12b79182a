"""The exams of the ports: what every engine must pass, this project's and its users' own.

An exam is a class of tests. A test file of an engine derives from it and says how the engine is started:

    class Deployment:                                    # see `deployment.Deployment`
        features = Features(durable=True)
        async def process(self, clock): ...              # start one more process on the same data

    @asynccontextmanager
    async def deployment():                              # a fresh one, with nothing stored, for every test
        yield Deployment()

    class TestLog(LogExam):
        deployment = staticmethod(deployment)

An engine declares the features that may differ (`Features`); what it doesn't declare is proved to be absent. The tests
are coroutines: run them on the virtual-time loop where the engine lives in this process (`pytest.mark.virtual_time` with
this project's `conftest.py`), on any loop where it doesn't; then `clock` is to be overridden too. The tests of models
need hypothesis.
"""

from esclusa.testing.exams.deployment import Deployment, Exam, Features, Process
from esclusa.testing.exams.keys import KeysExam
from esclusa.testing.exams.log import LogExam
from esclusa.testing.exams.records import RecordsExam
from esclusa.testing.exams.upkeep import UpkeepExam

__all__ = ["Deployment", "Exam", "Features", "KeysExam", "LogExam", "Process", "RecordsExam", "UpkeepExam"]
