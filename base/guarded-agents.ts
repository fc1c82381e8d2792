/** HTTP through a HostGuard: for clients that take agents (the SDKs of object stores, Vault). */
import http from 'node:http'
import https from 'node:https'
import type { TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HostGuard } from './host-guard.ts'

export interface GuardedAgents {
  readonly http: http.Agent
  readonly https: https.Agent
  destroy(): void
}

type Done = (cause: Error | null, socket?: Duplex) => void
interface AgentInside {
  createConnection(options: TcpNetConnectOpts, done: Done): Duplex | null | undefined
}

/** Every connection they open, also after a redirect, goes to an address that was looked at. */
export function guardedAgents(hosts: HostGuard, options: http.AgentOptions & https.AgentOptions = {}): GuardedAgents {
  const agents = { http: new http.Agent(options), https: new https.Agent(options) }
  for (const agent of Object.values(agents)) guard(agent as unknown as AgentInside, hosts)
  return {
    ...agents,
    destroy: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

function guard(agent: AgentInside, hosts: HostGuard): void {
  const plain = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    try {
      hosts.check(String(options.host ?? 'localhost'))
    } catch (cause) {
      // In its own time, as a connection that fails would.
      setImmediate(() => done(cause as Error))
      return undefined
    }
    return plain({ ...options, lookup: hosts.lookup }, done)
  }
}
