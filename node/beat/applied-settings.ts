import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { BeatResponse } from '@postern/protocol/node-api.ts'
import type { ChannelModes } from '../channel/channel-modes.ts'
import type { DataFolder } from '../state/data-folder.ts'

interface AppliedSettingsParts {
  readonly folder: Pick<DataFolder, 'joined' | 'update'>
  readonly channel: Pick<ChannelModes, 'take'>
  readonly log: Log
}

/** The gateway's settings as this node runs with them; the beat says which, so that one that lags is seen. */
export class AppliedSettings {
  readonly #parts: AppliedSettingsParts
  #tag: string | null = null
  #fault: string | null = null
  #graceSeconds = 0

  constructor(parts: AppliedSettingsParts) {
    this.#parts = parts
  }

  /** As the service called them; null before the first. */
  get tag(): string | null {
    return this.#tag
  }

  /** Why the newest ones are not in force; null when they are. */
  get fault(): string | null {
    return this.#fault
  }

  /** 0 = never, and before the service has said it. */
  get graceSeconds(): number {
    return this.#graceSeconds
  }

  /** Takes over what the answer to a beat says. A setting that cannot be kept would be lost with a restart: so it does not count. */
  async take({ name, settings, settingsTag }: Pick<BeatResponse, 'name' | 'settings' | 'settingsTag'>): Promise<void> {
    const { folder, channel, log } = this.#parts
    this.#graceSeconds = settings.graceSeconds
    const known = folder.joined()
    try {
      if (this.#fault !== null || name !== known.name || settings.proxyUrl !== known.proxyUrl) {
        await folder.update({ name, proxyUrl: settings.proxyUrl })
        if (name !== known.name) log.info({ name }, 'this node has a new name')
      }
      const refused = await channel.take(settings.channelEncryption)
      if (refused !== null) return this.#failed(refused)
      this.#tag = settingsTag ?? null
      this.#fault = null
    } catch (cause) {
      this.#failed(Fault.from(cause).message)
    }
  }

  #failed(reason: string): void {
    if (this.#fault === null) this.#parts.log.warn({ reason }, "the gateway's settings could not be taken over")
    this.#fault = reason.slice(0, 500)
  }
}
