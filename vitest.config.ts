import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const everywhere = { environment: 'node' as const, exclude: ['**/node_modules/**'], passWithNoTests: false }
const onServers = { ...everywhere, globalSetup: ['testkit/postgres-global-setup.ts'] }
const onClusters = { ...onServers, testTimeout: 180_000, hookTimeout: 120_000, maxConcurrency: 2 }

/** Files at a time. More services and databases than this at once and a small machine answers none of them in time. */
const FILES = Math.min(4, availableParallelism())

/**
 * unit: pure, beside the code; the files of a worker share what they import. real: on real servers. e2e: whole clusters of processes.
 * timed: such that measure how fast or how evenly, and so have the machine to themselves.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...everywhere,
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.real.test.ts', '**/*.e2e.test.ts', '**/*.timed.test.ts'],
          testTimeout: 10_000,
          isolate: false,
          maxWorkers: FILES,
        },
      },
      {
        test: {
          ...onServers,
          name: 'real',
          include: ['**/*.real.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: FILES,
        },
      },
      { test: { ...onClusters, name: 'e2e', include: ['**/*.e2e.test.ts'], maxWorkers: Math.min(2, FILES) } },
      { test: { ...onClusters, name: 'timed', include: ['**/*.timed.test.ts'], maxWorkers: 1 } },
    ],
  },
})
