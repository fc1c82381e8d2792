/** What stands in the address of the pages of people. Anything else is left out. */
type Asked = Readonly<Record<string, unknown>>

const text = (value: unknown): string | undefined => {
  const written = typeof value === 'number' ? String(value) : value
  return typeof written === 'string' && written !== '' ? written : undefined
}

export interface Find {
  readonly find?: string | undefined
}
export const readFind = ({ find }: Asked): Find => ({ find: text(find) })

export interface GrantSearch {
  /** `person/ann`, `group/analysts`, `token/ci` */
  readonly to?: string | undefined
  /** `service`, `gateway/demo`, `store/shop` */
  readonly on?: string | undefined
}
const TO = /^(person|group|token)\/[^/\s]{1,127}$/
const ON = /^(service|(gateway|store)\/[A-Za-z0-9._-]{1,63})$/
export const readGrantSearch = ({ to, on }: Asked): GrantSearch => ({
  to: typeof to === 'string' && TO.test(to) ? to : undefined,
  on: typeof on === 'string' && ON.test(on) ? on : undefined,
})

export const TOKEN_KINDS = ['mine', 'programs', 'people'] as const
export interface TokenSearch extends Find {
  readonly kind?: (typeof TOKEN_KINDS)[number] | undefined
}
export const readTokenSearch = ({ find, kind }: Asked): TokenSearch => ({ find: text(find), kind: TOKEN_KINDS.find((one) => one === kind) })

/** Of what is listed, those with the words somewhere in one of the texts. */
export function matching<Item>(items: readonly Item[], find: string | undefined, texts: (item: Item) => readonly string[]): readonly Item[] {
  const words = (find ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return items
  return items.filter((item) => {
    const all = texts(item).join('\n').toLowerCase()
    return words.every((word) => all.includes(word))
  })
}
