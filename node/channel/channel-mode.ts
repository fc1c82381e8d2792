/**
 * How the nodes of a gateway speak with each other, and how a change of that rolls through them. Pure.
 *
 *   told of another mode        calls by the new one whoever takes it, and takes calls by both
 *   all that are online call
 *   by the new mode, for SETTLE  takes calls by the new one only
 */
import { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { z } from 'zod'

export const ChannelMode = GatewaySettings.shape.channelEncryption.unwrap()
export type ChannelMode = z.output<typeof ChannelMode>

/** `before`: modes by which this node can still be called. Kept over a restart. */
export const ChannelState = z.object({ mode: ChannelMode, before: z.array(ChannelMode) })
export type ChannelState = z.output<typeof ChannelState>

/** As a node begins that has not been told anything: by the certificate that came with the join. */
export const FIRST_STATE: ChannelState = { mode: 'mutual', before: [] }

export function turnTo(state: ChannelState, mode: ChannelMode): ChannelState {
  if (mode === state.mode) return state
  return { mode, before: [state.mode, ...state.before].filter((one, index, all) => one !== mode && all.indexOf(one) === index) }
}

export const acceptedBy = ({ mode, before }: ChannelState): readonly ChannelMode[] => [mode, ...before]

/** A service or node of an older version says nothing: it is mutual. */
const takenBy = ({ channelAccepts, channelEncryption }: Pick<Peer, 'channelAccepts' | 'channelEncryption'>): readonly string[] =>
  channelAccepts ?? [channelEncryption ?? 'mutual']

/** By which mode to call a peer. A mode that is not this node's own is used only while a change rolls, but for the strongest. */
export function modeFor(state: ChannelState, peer: Pick<Peer, 'channelAccepts' | 'channelEncryption'>): ChannelMode | undefined {
  const theirs = takenBy(peer)
  return [state.mode, ...state.before, 'mutual' as const].find((mode) => theirs.includes(mode))
}

/** Nobody needs the modes before any more: what is online calls by the new one. */
export function isThrough(
  state: ChannelState,
  peers: readonly Pick<Peer, 'online' | 'channelAddress' | 'channelAccepts' | 'channelEncryption'>[],
): boolean {
  const alive = peers.filter((peer) => peer.online && peer.channelAddress !== null)
  return alive.every((peer) => (peer.channelEncryption ?? 'mutual') === state.mode && takenBy(peer).includes(state.mode))
}
