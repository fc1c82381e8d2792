/**
 * Which addresses this machine connects to for somebody else. A store's host comes from the service: without a guard, whoever may create
 * a store could have a node ask the metadata service of its cloud for the machine's own credentials.
 */
import { type LookupAddress, lookup as resolveName } from 'node:dns'
import { BlockList, isIP, type LookupFunction, Socket, type SocketConstructorOpts } from 'node:net'
import { Fault } from '@postern/protocol/fault.ts'

/** Link-local, where clouds keep their metadata; and the addresses of those that keep it elsewhere (Alibaba, Azure, Oracle). */
const DENIED_V4 = [
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
] as const
/** Link-local; services of Amazon, of Google. */
const DENIED_V6 = [
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
] as const
/** Names that only a cloud's own resolver knows. */
const DENIED_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'metadata.platformequinix.com',
  'instance-data',
  'instance-data.ec2.internal',
])

type Resolve = (
  name: string,
  options: { readonly all: true; readonly family?: number; readonly hints?: number },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface HostGuardOptions {
  /** Names, addresses and networks (`169.254.10.0/24`) that are allowed all the same. */
  readonly allowed?: readonly string[]
  /** Told once a host that leads to this machine itself: allowed, but it should be known. */
  readonly onLoopback?: (host: string) => void
  readonly resolve?: Resolve
}

/** Looks at a name once, and connects to the address that was looked at: no second answer of a name server comes in between. */
export class HostGuard {
  readonly #denied = deniedAddresses()
  readonly #loopback = loopbackAddresses()
  readonly #allowed = new BlockList()
  readonly #allowedNames = new Set<string>()
  readonly #saidLoopback = new Set<string>()
  readonly #onLoopback: (host: string) => void
  readonly #resolve: Resolve

  constructor(options: HostGuardOptions = {}) {
    for (const entry of options.allowed ?? []) this.#allow(entry)
    this.#onLoopback = options.onLoopback ?? (() => undefined)
    this.#resolve = options.resolve ?? resolveName
  }

  /** Fails with HOST_DENIED for a name or an address that is denied as it stands. What a name leads to is seen by `lookup` only. */
  check(host: string): void {
    const bare = bareHost(host)
    if (this.#allowedNames.has(bare)) return
    if (DENIED_NAMES.has(bare)) throw denied(host)
    if (isIP(bare) === 0) return
    if (this.#isDenied(bare)) throw denied(host)
    this.#heed(bare, bare)
  }

  /** For `net.connect` and `tls.connect`, which give it names only: `check` comes first. */
  readonly lookup: LookupFunction = (name, options, done) => {
    const wanted = {
      all: true as const,
      ...(typeof options.family === 'number' ? { family: options.family } : {}),
      hints: options.hints ?? 0,
    }
    this.#resolve(name, wanted, (error, found) => {
      if (error) return done(error, '', 0)
      const bare = bareHost(name)
      const free = this.#allowedNames.has(bare) ? found : found.filter(({ address }) => !this.#isDenied(address))
      const [first] = free
      if (!first) return done(denied(`${name} (${found.map(({ address }) => address).join(', ')})`), '', 0)
      for (const { address } of free) this.#heed(bare, address)
      if (options.all) return done(null, free)
      done(null, first.address, first.family)
    })
  }

  /** A TCP connection; a host that is denied is its error. */
  connect(
    to: { readonly host: string; readonly port: number },
    options: SocketConstructorOpts & { readonly noDelay?: boolean } = {},
  ): Socket {
    return this.#open(new Socket(options), to, options.noDelay)
  }

  /** For drivers that want to call `connect(port, host)` or `connect(path)` themselves. */
  socket(): Socket {
    const socket = new Socket()
    const plain = socket.connect.bind(socket) as (path: string) => Socket
    const guarded = (port: number | string, host?: string): Socket =>
      typeof port === 'string' && !/^\d+$/.test(port)
        ? plain(port)
        : this.#open(socket, { host: host ?? 'localhost', port: Number(port) }, true, plain)
    return Object.assign(socket, { connect: guarded as Socket['connect'] })
  }

  #open(socket: Socket, to: { readonly host: string; readonly port: number }, noDelay = false, connect?: unknown): Socket {
    const dial = (connect ?? socket.connect.bind(socket)) as Socket['connect']
    try {
      this.check(to.host)
      return dial({ port: to.port, host: bareHost(to.host), lookup: this.lookup }).setNoDelay(noDelay)
    } catch (cause) {
      // In its own time: whoever asked has no listener yet.
      setImmediate(() => socket.destroy(cause as Error))
      return socket
    }
  }

  #isDenied(address: string): boolean {
    const { bare, family } = parsed(address)
    return this.#denied.check(bare, family) && !this.#allowed.check(bare, family)
  }

  #heed(host: string, address: string): void {
    const { bare, family } = parsed(address)
    if (this.#saidLoopback.has(host) || this.#saidLoopback.size > 1_000 || !this.#loopback.check(bare, family)) return
    this.#saidLoopback.add(host)
    this.#onLoopback(host)
  }

  #allow(entry: string): void {
    const [address = '', bits] = entry.trim().split('/', 2)
    const family = isIP(address)
    const most = family === 4 ? 32 : 128
    if (family === 0 && bits === undefined && /^[a-z0-9._-]+$/i.test(address)) return void this.#allowedNames.add(bareHost(address))
    const length = bits === undefined ? most : Number(bits)
    if (family === 0 || !Number.isInteger(length) || length < 0 || length > most)
      throw new Fault('CONFIG_INVALID', { at: `--allow-host "${entry}" is no name, no address and no network such as 169.254.10.0/24.` })
    this.#allowed.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Without the brackets of a URL, the dot at the end of a whole name, and capitals. */
function bareHost(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
}

/** The zone of a link-local address (`fe80::1%eth0`) says by which card, not whereto. */
function parsed(address: string): { readonly bare: string; readonly family: 'ipv4' | 'ipv6' } {
  const bare = address.split('%', 1)[0] ?? ''
  return { bare, family: isIP(bare) === 4 ? 'ipv4' : 'ipv6' }
}

function deniedAddresses(): BlockList {
  const list = new BlockList()
  for (const [address, bits] of DENIED_V6) list.addSubnet(address, bits, 'ipv6')
  for (const [address, bits] of DENIED_V4) {
    // `::ffff:a.b.c.d` is found by this too.
    list.addSubnet(address, bits, 'ipv4')
    // The same in an address that a gateway of the network translates: NAT64 (also the prefix of RFC 8215), 6to4, the old "compatible" form.
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
    const [high, low] = [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + bits, 'ipv6')
    list.addSubnet(`64:ff9b:1::${high}:${low}`, 96 + bits, 'ipv6')
    list.addSubnet(`::${high}:${low}`, 96 + bits, 'ipv6')
    list.addSubnet(`2002:${high}:${low}::`, 16 + bits, 'ipv6')
  }
  return list
}

function loopbackAddresses(): BlockList {
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('0.0.0.0', 'ipv4')
  list.addAddress('::1', 'ipv6')
  list.addAddress('::', 'ipv6')
  return list
}

const denied = (host: string) => new Fault('HOST_DENIED', { at: host })
