// `npm test`: gets what is missing, builds, and checks everything; the last line counts. Arguments go to vitest.

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { bin, main, root, runCommand, runStep } from './steps.mjs'

const report = join(root, '.cache', 'vitest.json')

await main(async () => {
  const start = performance.now()
  await build()
  const env = { ...process.env, ...(await tools()) }
  const checks = [
    ['format', [bin('prettier'), '--check', '--log-level', 'warn', '.']],
    ['lint', [bin('oxlint')]],
    ['types', [bin('tsc'), '--noEmit']],
  ]
  const failed = []
  // each is run, whatever the others said: one round shows all that is wrong
  const check = ([title, command]) => runStep(title, command, env).catch(() => failed.push(title))
  await Promise.all(checks.map(check))
  await check(['tests', vitest])
  const counts = readReport()
  // a check outside vitest counts as a test of its own when it fails, so that 0 failed means that all is well
  const failures =
    Math.max(counts.failed, failed.includes('tests') ? 1 : 0) + failed.filter((it) => it !== 'tests').length
  console.log(`\n${failed.length > 0 ? `failed: ${failed.join(', ')}` : 'all checks passed'}`)
  // once more, those of a file in the order in which they ran: what fails first is often why the others do
  for (const line of counts.lines) console.log(line)
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`)
  console.log(`${counts.passed} passed, ${failures} failed`)
  if (failures > 0) process.exitCode = 1

  function vitest() {
    mkdirSync(join(root, '.cache'), { recursive: true })
    rmSync(report, { force: true })
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    return runCommand([bin('vitest'), 'run', ...reporters, ...process.argv.slice(2)], env)
  }
})

/** The programs that tests look for, found or installed by the sandbox's own provisioning. */
async function tools() {
  const { installForTests } = await import(pathToFileURL(join(root, 'dist/sandbox/install/index.js')).href)
  const { temporal, testServer } = await installForTests((line) => console.log(line))
  return {
    TEMPORAL_CLI: temporal,
    TEMPORAL_TEST_SERVER: testServer,
    STEPBACK_WORKFLOW_BUNDLE: join(root, 'dist/workflow-bundle.js'),
    STEPBACK_END_TO_END: '1',
  }
}

function readReport() {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    // a file that could not be loaded has no failing test in it, but failed all the same
    const unloaded = testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    )
    const lines = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => `- ${relative(root, name)}: ${test.title}: ${test.failureMessages.map(shorten).join('\n')}`),
    )
    return { passed: numPassedTests, failed: numFailedTests + unloaded.length, lines }
  } catch {
    return { passed: 0, failed: 1, lines: [] }
  }
}

function shorten(message) {
  return message.split('\n    at ')[0].slice(0, 2000)
}
