import { defineConfig } from 'vitest/config'

const everywhere = { environment: 'node' as const, exclude: ['**/node_modules/**'], passWithNoTests: false }

/** unit: pure, beside the code. real: on real servers. e2e: whole clusters of processes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...everywhere,
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.real.test.ts', '**/*.e2e.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'real',
          globalSetup: ['testkit/postgres-global-setup.ts'],
          include: ['**/*.real.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'e2e',
          globalSetup: ['testkit/postgres-global-setup.ts'],
          include: ['**/*.e2e.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          maxConcurrency: 2,
        },
      },
    ],
  },
})
