import { Fault } from '@postern/protocol/fault.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The proxy that the environment names for an address, as curl reads it; undefined = straight. */
export function proxyFromEnvironment(target: URL, environment: Environment): URL | undefined {
  if (isExempt(target, read(environment, 'NO_PROXY') ?? '')) return undefined
  const own = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const text = read(environment, own) ?? read(environment, 'ALL_PROXY')
  return text ? parseProxy(text, own) : undefined
}

export function parseProxy(text: string, setting: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new Fault('CONFIG_INVALID', { at: `${setting} must be an http:// or https:// address.` })
}

/** Small letters first: servers behind CGI may let strangers set HTTP_PROXY. */
function read(environment: Environment, name: string): string | undefined {
  return environment[name.toLowerCase()] || environment[name] || undefined
}

/** "a.example, .b.example, 10.0.0.1:8080, *": a name covers the host and what is below it. */
function isExempt(target: URL, list: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
      const suffix = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '')
      return (entryPort === undefined || entryPort === port) && (host === suffix || host.endsWith(`.${suffix}`))
    })
}
