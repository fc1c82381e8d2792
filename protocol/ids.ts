import { z } from 'zod'

const id = <const Prefix extends string, const Brand extends string>(prefix: Prefix, _brand: Brand) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{20}$`), `an id: ${prefix}_ and 20 small letters and digits`)
    .brand<Brand>()

export const GatewayId = id('gw', 'GatewayId')
export const NodeId = id('nod', 'NodeId')
export const StoreId = id('sto', 'StoreId')
export const QueryId = id('qry', 'QueryId')
export const RunId = id('run', 'RunId')
export const TaskId = id('tsk', 'TaskId')
export const TokenId = id('tok', 'TokenId')
export const SessionId = id('ses', 'SessionId')
export const ReplicaId = id('rep', 'ReplicaId')
export const PersonId = id('per', 'PersonId')
export const SignInId = id('sgn', 'SignInId')
export const GroupId = id('grp', 'GroupId')
export const GrantId = id('gra', 'GrantId')
export type GatewayId = z.infer<typeof GatewayId>
export type NodeId = z.infer<typeof NodeId>
export type StoreId = z.infer<typeof StoreId>
export type QueryId = z.infer<typeof QueryId>
export type RunId = z.infer<typeof RunId>
export type TaskId = z.infer<typeof TaskId>
export type TokenId = z.infer<typeof TokenId>
export type SessionId = z.infer<typeof SessionId>
export type ReplicaId = z.infer<typeof ReplicaId>
export type PersonId = z.infer<typeof PersonId>
export type SignInId = z.infer<typeof SignInId>
export type GroupId = z.infer<typeof GroupId>
export type GrantId = z.infer<typeof GrantId>

/** What people call a gateway, node or store: also a database name on the wire, so at most 63 characters. */
export const Name = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'letters, digits, ".", "_" and "-", 1 to 63 characters')

/** Grows with each new holder of a lease; a message that carries an older one is refused. */
export const Epoch = z.int().nonnegative()

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/** A new id: the prefix and 20 characters (103 bits) of the given randomness. */
export function newId<Id extends string>(
  prefix: 'gw' | 'nod' | 'sto' | 'qry' | 'run' | 'tsk' | 'tok' | 'ses' | 'rep' | 'per' | 'sgn' | 'grp' | 'gra',
  bytes: (count: number) => Uint8Array,
): Id {
  let text = ''
  while (text.length < 20) {
    // 252 = 7 × 36: larger values would make the first letters likelier than the last.
    for (const byte of bytes(32)) if (byte < 252 && text.length < 20) text += ALPHABET[byte % 36]
  }
  return `${prefix}_${text}` as Id
}
