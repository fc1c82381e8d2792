import { Fault } from '@postern/protocol/fault.ts'

/** `--url` as a person gives it: scheme and host, a path where the service stands behind a prefix. */
export function parseServiceUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username || url.search || url.hash) {
    throw new Fault('CONFIG_INVALID', { at: `--url must be an http:// or https:// address, such as https://postern.example` })
  }
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** The prefix of the service's paths: '' or '/prefix'. */
export function prefixOf(url: URL): string {
  return url.pathname === '/' ? '' : url.pathname
}
