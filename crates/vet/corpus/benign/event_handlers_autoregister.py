# label: benign
# expect: V601
# note: Collects message handlers from the subclasses of a base by their annotations.
import typing


class Handler:
    def handle(self, event): ...


class Deposited(typing.NamedTuple):
    amount: int


class Withdrawn(typing.NamedTuple):
    amount: int


class OnDeposit(Handler):
    def handle(self, event: Deposited):
        return f"+{event.amount}"


class OnWithdraw(Handler):
    def handle(self, event: Withdrawn):
        return f"-{event.amount}"


ROUTES = {}
for handler in Handler.__subclasses__():
    hints = typing.get_type_hints(handler.handle)
    ROUTES[hints["event"]] = handler()

for e in (Deposited(5), Withdrawn(3)):
    print(ROUTES[type(e)].handle(e))
