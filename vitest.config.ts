import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Temporal's native module does not like threads.
    pool: 'forks',
    globalSetup: ['test/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
  },
})
