/** Links, queries, runs and events: what the service does with its nodes. */
import type { Component } from '@postern/base/lifecycle.ts'
import type { Core } from './core.ts'
import type { Routes, UpgradeHandler } from './http/http-server.ts'
import type { BeatListener } from './nodes/beat-listener.ts'

export interface Work {
  /** Started in this order, before the door opens. */
  readonly parts: readonly Component[]
  readonly routes: readonly Routes[]
  readonly upgrades: readonly (readonly [path: string, handler: UpgradeHandler])[]
  readonly beatListener: BeatListener
}

export function buildWork(_core: Core): Work {
  return { parts: [], routes: [], upgrades: [], beatListener: { onBeat: async () => ({ stop: [], keepSnapshots: [] }) } }
}
