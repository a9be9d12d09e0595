import { defineConfig } from 'vitest/config'

const endToEnd = 'test/**/*.end-to-end.test.ts'
/** Writes the saved histories anew: never by the way. */
const recorder = process.env['STEPBACK_RECORD_HISTORIES'] === '1' ? [] : ['test/replay/record.test.ts']

export default defineConfig({
  test: {
    // Temporal's native module does not like threads.
    pool: 'forks',
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two busy cores answer late.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [endToEnd, ...recorder],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // A sandbox each, with a whole stack in it, when the rest is done. Two at once: they wait more than they work.
        test: { name: 'end to end', include: [endToEnd], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
