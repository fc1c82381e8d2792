import { isIPv4 } from 'node:net'

/** Whose an address is, for limits: whoever has one IPv6 address has the 2^64 of its network. */
export function networkOf(address: string): string {
  const bare = address.split('%', 1)[0] ?? ''
  const mapped = /^::ffff:(.+)$/i.exec(bare)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!bare.includes(':')) return bare
  const [head = '', tail] = bare.split('::', 2)
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const left = groups(head)
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - groups(tail).length)
  return [...left, ...Array<string>(gap).fill('0'), ...groups(tail ?? '')]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')
}
