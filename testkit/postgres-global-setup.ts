/** vitest's globalSetup of the projects `real` and `e2e`: one PostgreSQL for all their test files. */
import { SHARED_SERVER } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'

let server: PostgresServer | undefined

export async function setup(): Promise<void> {
  if (process.env[SHARED_SERVER]) return
  server = await PostgresServer.start()
  const { host, port, user, password } = server
  process.env[SHARED_SERVER] = JSON.stringify({ host, port, user, password })
}

export async function teardown(): Promise<void> {
  if (!server) return
  delete process.env[SHARED_SERVER]
  await server[Symbol.asyncDispose]()
}
