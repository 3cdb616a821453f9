// Run the tests that need neither threads, sockets nor processes in a CPython that is WebAssembly.
//
//   node tests/pyodide/run.mjs PYODIDE SITE [ARGUMENT OF PYTEST ...]
//
// PYODIDE is the directory of the npm package; SITE has the Python packages that the tests need, and
// flowdeco. The tests are those of the current directory.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker, isMainThread, workerData } from "node:worker_threads";

async function run([pyodide, site, ...options]) {
  // Pyodide asks for these, which a thread does not have.
  const streams = [process.stdin, process.stdout, process.stderr];
  streams.forEach((stream, fd) => Object.defineProperty(stream, "fd", { value: fd }));
  const { loadPyodide } = await import(pathToFileURL(resolve(pyodide, "pyodide.mjs")));
  const python = await loadPyodide({ env: { HOME: "/tests", PYTHONDONTWRITEBYTECODE: "1" } });
  for (const [place, directory] of [["/site", site], ["/tests", "."]]) {
    python.FS.mkdirTree(place);
    python.mountNodeFS(place, resolve(directory));
  }
  python.globals.set("options", python.toPy(options));
  // Not runPythonAsync: it would run within an event loop.
  process.exitCode = python.runPython(`
import os, sys
sys.path[:0] = ["/site", "/tests/tests/pyodide"]
os.chdir("/tests")
import inside
inside.main(options)
`);
}

if (isMainThread) {
  // In a thread, for the stack: one call of a Python function takes more of it here.
  const options = { workerData: process.argv.slice(2), resourceLimits: { stackSizeMb: 256 } };
  const worker = new Worker(new URL(import.meta.url), options);
  worker.on("error", (error) => {
    console.error(String(error.stack).slice(0, 4000));
    process.exitCode = 1;
  });
  worker.on("exit", (code) => {
    process.exitCode ||= code;
  });
} else {
  await run(workerData);
}
