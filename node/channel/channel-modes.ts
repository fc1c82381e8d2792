import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import type { DataFolder } from '../state/data-folder.ts'
import { acceptedBy, type ChannelMode, type ChannelState, FIRST_STATE, isThrough, modeFor, turnTo } from './channel-mode.ts'
import type { OwnCertificate } from './own-certificate.ts'

interface ChannelModesParts {
  readonly folder: Pick<DataFolder, 'joined' | 'update'>
  readonly certificate: Pick<OwnCertificate, 'current' | 'fault'>
  /** Modes that are not accepted any more: what was opened by them may end. */
  readonly onSettled: () => void
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Log
}

/** Others hear within two beats by what they can call us; then what they have begun ends. */
const SETTLE_MS = 5_000

/** In which mode this node's channel is, and how it changes without a call that fails. */
export class ChannelModes {
  readonly #parts: ChannelModesParts
  #state: ChannelState
  #throughSince: number | undefined

  constructor(parts: ChannelModesParts) {
    this.#parts = parts
    this.#state = parts.folder.joined().channelState ?? FIRST_STATE
  }

  get mode(): ChannelMode {
    return this.#state.mode
  }

  get accepted(): readonly ChannelMode[] {
    return acceptedBy(this.#state)
  }

  /** Undefined: there is none that both take. */
  for(peer: Pick<Peer, 'channelAccepts' | 'channelEncryption'>): ChannelMode | undefined {
    return modeFor(this.#state, peer)
  }

  /** The gateway's setting. Says why it cannot be followed; null when it is. What cannot be kept over a restart is not begun. */
  async take(wanted: ChannelMode): Promise<string | null> {
    const { certificate, log } = this.#parts
    if (wanted === this.#state.mode) return null
    if (wanted === 'certificate' && !certificate.current)
      return `channelEncryption is certificate, and ${certificate.fault ?? 'there is none'}`
    await this.#become(turnTo(this.#state, wanted))
    log.info({ mode: wanted, accepted: this.accepted }, 'the channel changes its mode')
    return null
  }

  /** Called with each beat: whether all others have followed. */
  async look(peers: readonly Peer[]): Promise<void> {
    const { clock, log, onSettled } = this.#parts
    if (this.#state.before.length === 0 || !isThrough(this.#state, peers)) {
      this.#throughSince = undefined
      return
    }
    this.#throughSince ??= clock.monotonic()
    if (clock.monotonic() - this.#throughSince < SETTLE_MS) return
    await this.#become({ mode: this.#state.mode, before: [] })
    log.info({ mode: this.#state.mode }, 'the channel has changed its mode')
    onSettled()
  }

  async #become(state: ChannelState): Promise<void> {
    await this.#parts.folder.update({ channelState: state })
    this.#state = state
    this.#throughSince = undefined
  }
}
