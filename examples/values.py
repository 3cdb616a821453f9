"""Values that flow from step to step, and what becomes of them when one is missing.

Prints:

    sensors are off
    Oslo: 21.5 degrees at 40 %
    door is locked
    the forecast was 'Oslo: 21.5 degrees at 40 %'
    -- the same with a broken sensor
    sensors are off
    door is locked
    01   ☉ ☓   <Job `temperature`>[[ -> 21.5]]
    02   ★ ☓   <Job `humidity`>!! exception => OSError:no sensor!!
    03     ⚐   <Job `forecast`> - requires {01, 02} SKIPPED
    04     ⚐   <Job `publish`> - requires {03} SKIPPED
    05   ☉ ☓   <Job `power_off`>[[ -> None]] - requires {01, 02}
    06   ☉ ☓   <Job `lock_up`>[[ -> None]] - requires {04}
    'forecast' was skipped: it takes the value of 'humidity', which has none
    the cause: OSError('no sensor')
"""

from flowdeco import Flow, step
from flowdeco.errors import SkippedError


class Weather(Flow):
    city: str
    humidity_works: bool = True

    @step
    async def temperature(self) -> float:
        return 21.5

    @step
    async def humidity(self) -> int:
        if not self.humidity_works:
            raise OSError("no sensor")
        return 40

    # The parameters receive the results of what `after` names, in that order.
    @step(after=(temperature, humidity))
    async def forecast(self, celsius: float, percent: int) -> str:
        return f"{self.city}: {celsius} degrees at {percent} %"

    @step(after=forecast)
    async def publish(self, text: str) -> None:
        print(text)

    # A list is an ordering alone, and so is `>>`: nothing is received, nothing can be missing.
    @step(after=[temperature, humidity])
    async def power_off(self) -> None:
        print("sensors are off")

    @step
    async def lock_up(self) -> None:
        print("door is locked")

    order = publish >> lock_up


def main() -> None:
    oslo = Weather(city="Oslo")
    oslo.run().raise_for_failure()
    print(f"the forecast was {oslo.forecast.result()!r}")

    print("-- the same with a broken sensor")
    lima = Weather(city="Lima", humidity_works=False)
    lima.run()  # nothing here is critical: the failure is noted
    lima.list()
    try:
        lima.forecast.result()
    except SkippedError as error:
        print(error)
        print(f"the cause: {error.__cause__!r}")


if __name__ == "__main__":
    main()
