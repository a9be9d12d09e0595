import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const endToEnd = 'test/**/*.end-to-end.test.ts'
/** Writes the saved histories anew: never by the way. */
const recorder = process.env['STEPBACK_RECORD_HISTORIES'] === '1' ? [] : ['test/replay/record.test.ts']

/** Tests of a worker, whose runtime is one for a process and is told only once how to log and measure. */
const workers = ['test/{client,replay,worker,workflows}/**/*.test.ts', 'test/client.test.ts']

/** The longest ones wait for most of their time, and everything else finds its place beside them. */
const longestFirst = ['/precedence.', '/survival.', '/survival-undo.', '/main-job.', '.end-to-end.']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = longestFirst.findIndex((part) => moduleId.includes(part))
      return found === -1 ? longestFirst.length : found
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    // Temporal's native module does not like threads.
    pool: 'forks',
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two busy cores answer late.
    expect: { poll: { timeout: 15_000 } },
    // The end-to-end tests, a sandbox with a whole stack in it each, wait more than they work: two cores bear four.
    maxWorkers: Math.max(4, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        // One process for many files: loading the same modules again for each took longer than most tests.
        test: { name: 'parts', isolate: false, include: ['test/**/*.test.ts'], exclude: [endToEnd, ...workers] },
      },
      { extends: true, test: { name: 'parts in a worker', include: workers, exclude: recorder } },
      {
        extends: true,
        test: { name: 'end to end', include: [endToEnd], setupFiles: ['test/end-to-end/say-why.ts'] },
      },
    ],
  },
})
