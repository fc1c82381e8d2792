import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { LeaveResponse } from '@postern/protocol/node-api.ts'
import { Dialler } from '../calls/dialler.ts'
import type { Environment } from '../calls/proxy.ts'
import { ServiceClient } from '../calls/service-client.ts'
import { parseServiceUrl } from '../calls/service-url.ts'
import { Identity } from '../identity/identity.ts'
import { DataFolder } from '../state/data-folder.ts'
import type { NodeFile } from '../state/node-file.ts'

export interface LeaveOptions {
  readonly clock: Clock
  /** Where HTTPS_PROXY and NO_PROXY are read; the process's own when left out. */
  readonly environment?: Environment | undefined
}

/** Has the service delete the node, in the node's own name. Says how many nodes the gateway has left; undefined when it was gone already. */
export async function leaveGateway(node: NodeFile, { clock, environment = process.env }: LeaveOptions): Promise<number | undefined> {
  const dialler = new Dialler({ target: parseServiceUrl(node.url), environment, proxyUrl: () => node.proxyUrl })
  const service = new ServiceClient({ dialler, clock, signer: { identity: Identity.parse(node.identity), nodeId: node.nodeId } })
  try {
    return (await service.call({ path: SERVICE_PATHS.leave, body: {}, answer: LeaveResponse })).nodesLeft
  } catch (cause) {
    if (Fault.from(cause).code === 'NODE_DELETED') return undefined
    throw cause
  } finally {
    service.close()
  }
}

export interface UninstallOptions extends LeaveOptions {
  readonly data: string
  /** Also when the service cannot be told: its entry then stays until somebody deletes it, or it expires. */
  readonly force?: boolean | undefined
}

export interface Uninstalled {
  readonly name: string
  readonly gateway: string
  /** Undefined when the service did not say. */
  readonly nodesLeft: number | undefined
  /** Why the gateway still has its entry; null when it has not. */
  readonly fault: string | null
}

/** Deletes the node from its gateway and its keys and credentials from this machine. The process must have been stopped. */
export async function uninstallNode(options: UninstallOptions): Promise<Uninstalled> {
  await using folder = await DataFolder.open(options.data)
  const node = folder.joined()
  let nodesLeft: number | undefined
  let fault: string | null = null
  try {
    nodesLeft = await leaveGateway(node, options)
  } catch (cause) {
    if (!options.force) throw withForce(cause)
    fault = Fault.from(cause).message
  }
  await folder.destroy()
  return { name: node.name, gateway: node.gateway, nodesLeft, fault }
}

function withForce(cause: unknown): Fault {
  const { code, message, remedy } = Fault.from(cause)
  const known = Fault.fromJson({ code, message })
  return new Fault(known.code, {
    at: `${detailOf(known, message)} Nothing was changed.`,
    remedy: `${remedy} Or repeat it with --force.`,
    cause,
  })
}

/** The message without what its code says anyway. */
const detailOf = (fault: Fault, message: string) => message.replace(new Fault(fault.code).message, '').trim()
