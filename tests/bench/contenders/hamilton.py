"""Hamilton, its asynchronous driver: a function a job, with what it requires as parameters."""

from __future__ import annotations

from hamilton import ad_hoc_utils, async_driver


async def build(requirements, bodies):
    made = {"bodies": bodies}
    for job, required in enumerate(requirements):
        parameters = ", ".join(f"job_{before}: int" for before in required)
        source = (
            f"async def job_{job}({parameters}) -> int:\n    await bodies[{job}]()\n    return 0"
        )
        exec(source, made)
    names = [f"job_{job}" for job in range(len(requirements))]
    module = ad_hoc_utils.create_temporary_module(*(made[name] for name in names))
    return await async_driver.Builder().with_modules(module).build(), names


async def run(built):
    driver, names = built
    await driver.execute(names)
