import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { RecoverySeal } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'

interface RecoveryLookParts {
  readonly service: Pick<ServiceClient, 'call'>
  readonly clock: Clock
}

const OLD_MS = 60_000
const AGAIN_MS = 5_000

/** Whether the gateway has a recovery key: asked of the service when somebody looks, and never waited for. */
export class RecoveryLook implements Component {
  readonly name = 'recovery-look'
  readonly #parts: RecoveryLookParts
  readonly #stopping = new AbortController()
  readonly #background = new Background(() => undefined)
  #known: boolean | null = null
  #dueAt = 0

  constructor(parts: RecoveryLookParts) {
    this.#parts = parts
  }

  /** As last heard; null before that. */
  get known(): boolean | null {
    const now = this.#parts.clock.monotonic()
    if (now >= this.#dueAt && !this.#stopping.signal.aborted) {
      this.#dueAt = now + AGAIN_MS
      this.#background.run(() => this.#look())
    }
    return this.#known
  }

  async start(): Promise<void> {
    void this.known
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#background.idle()
  }

  async #look(): Promise<void> {
    const { service, clock } = this.#parts
    try {
      await service.call({ method: 'GET', path: SERVICE_PATHS.recovery, answer: RecoverySeal }, this.#stopping.signal)
      this.#known = true
    } catch (cause) {
      // A service that is away says nothing about it.
      if (Fault.from(cause).code !== 'RECOVERY_KEY_MISSING') return
      this.#known = false
    }
    this.#dueAt = clock.monotonic() + OLD_MS
  }
}
