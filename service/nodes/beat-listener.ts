import type { NodeId, RunId } from '@postern/protocol/ids.ts'
import type { Beat, BeatResponse } from '@postern/protocol/node-api.ts'

/** What runs say to a beat; implemented by service/runs. */
export interface BeatListener {
  /** Of the attempts and snapshots in the beat: which to stop, which to keep. */
  onBeat(node: NodeId, beat: Beat): BeatWork | Promise<BeatWork>
}

export type BeatWork = Pick<BeatResponse, 'stop'> & { readonly keepSnapshots: RunId[] }
