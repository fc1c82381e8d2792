import type { Log, Secret } from '@postern/base/log.ts'
import type { Catalog } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Session } from '../contract.ts'
import type { PostgresConfig } from './index.ts'

export interface SessionParts {
  readonly config: PostgresConfig
  readonly password: Secret | undefined
  readonly log: Log
}

/** One PostgreSQL database, open on one node. */
export class PostgresSession implements Session {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  async check(): Promise<{ readonly server: string }> {
    throw new Fault('STORE_UNREACHABLE', { at: `${this.#parts.config.host}:${this.#parts.config.port}` })
  }

  async browse(path: string): Promise<Catalog> {
    return { path, entries: [], truncated: false }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
