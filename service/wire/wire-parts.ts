/** The wire, `postern connect` and their list, put together. */
import { writeFile } from 'node:fs/promises'
import type { Component } from '@postern/base/lifecycle.ts'
import { DATA_PATH } from '@postern/protocol/link.ts'
import type { Core } from '../core.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Routes, UpgradeHandler } from '../http/http-server.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { Admission } from '../queries/admission.ts'
import type { NodeHealth } from '../queries/node-health.ts'
import type { Replicas } from '../replicas/replicas.ts'
import { AllSessions } from './all-sessions.ts'
import { CONNECT_PATH, ConnectDoor } from './connect-door.ts'
import { DataDoor } from './data-door.ts'
import { NodeStreams } from './node-streams.ts'
import { SessionBook } from './session-book.ts'
import { SessionOpener } from './session-opener.ts'
import { sessionRoutes } from './session-routes.ts'
import { WireCertificate } from './wire-certificate.ts'
import type { SessionKey } from './wire-messages.ts'
import { WireServer } from './wire-server.ts'

export interface WireOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** False: goes on without where the port is taken. */
  readonly required: boolean
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** Further names by which clients know this service. */
  readonly names: readonly string[]
  readonly folder: DataFolder
}

export interface WireNeeds {
  readonly links: LinkRegistry
  readonly admission: Admission
  readonly health: NodeHealth
  readonly replicas: Replicas
  /** Where other replicas reach this one; known once it listens. */
  readonly replicaUrl: () => string
  /** None: no port of PostgreSQL. */
  readonly options: WireOptions | undefined
}

export function buildWire(core: Core, { links, admission, health, replicas, replicaUrl, options }: WireNeeds) {
  const { clock, random, log, nodes, doorkeeper, stores, people, wrongTokens, audit, notes } = core
  const callerOf = (token: string, address?: string) => wrongTokens.watch(token, address, () => people.credentials.byToken(token))
  const findStore = (name: string) => stores.byName(name)
  const book = new SessionBook({ self: replicas.id, nodes, links, clock, random, log })
  const sessions = new AllSessions({ self: replicas.id, url: replicaUrl, book, others: () => replicas.others(), log })
  const cancel = (key: SessionKey) => sessions.cancel(key)
  const data = new DataDoor({ doorkeeper, random, log })
  const streams = new NodeStreams({ nodes, links, data, admission, health, clock, random })
  const opener = new SessionOpener({ book, streams, notes, log })
  const door = new ConnectDoor({ doorkeeper, findStore, opener, notes, log })
  const server =
    options && new WireServer({ ...options, certificate: certificateOf(core, options), callerOf, findStore, cancel, opener, notes, log })
  const parts: readonly Component[] = [data, book, door, ...(server ? [server] : [])]
  const routes: readonly Routes[] = [sessionRoutes({ sessions, audit })]
  const upgrades: readonly (readonly [string | RegExp, UpgradeHandler])[] = [
    [CONNECT_PATH, door.handler],
    [DATA_PATH, data.handler],
  ]
  return { parts, routes, upgrades, calls: sessions.calls, port: () => server?.port }
}

function certificateOf({ authority, clock, log }: Core, { tls, names, folder }: WireOptions): WireCertificate {
  const publish = (pem: string) => writeFile(folder.file('ca.pem'), pem, { mode: 0o644 })
  return new WireCertificate({ tls, authority, names, publish, clock, log })
}
