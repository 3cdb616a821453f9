"""A virtual loop that counts its turns, and does something at one of them."""

from flowdeco.testing import VirtualClockLoop


class TickLoop(VirtualClockLoop):
    """Calls `actions[k]` at the beginning of turn k."""

    def __init__(self, actions=None):
        self.ticks = 0
        self.actions = dict(actions or {})
        super().__init__()
        selector = self._selector
        select = selector.select

        def counted(timeout=None):
            self.ticks += 1
            action = self.actions.pop(self.ticks, None)
            if action is not None:
                action()
                timeout = 0
            return select(timeout)

        selector.select = counted
