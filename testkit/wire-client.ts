/** For tests of the wire: node-postgres as any client would use it. */
import pg from 'pg'
import type { TestService } from './service.ts'

export interface WireOptions extends pg.ClientConfig {
  readonly store?: string
}

export type WireDoor = Pick<TestService, 'token' | 'postgresPort'>

export async function wireClient({ token, postgresPort }: WireDoor, { store = 'shop', ...options }: WireOptions = {}): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postgresPort,
    user: 'anybody',
    password: token,
    database: store,
    ssl: { rejectUnauthorized: false },
    ...options,
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** What a client is told that may not come in; undefined when it was let in. */
export async function refusalOf(door: WireDoor, options: WireOptions = {}): Promise<Refusal | undefined> {
  try {
    const client = await wireClient(door, options)
    await client.end()
    return undefined
  } catch (cause) {
    return cause as Refusal
  }
}

/** What ends the connection. */
export function lastError(client: pg.Client): Promise<unknown> {
  return new Promise((resolve) => client.once('error', resolve))
}
