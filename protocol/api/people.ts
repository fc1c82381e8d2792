import { z } from 'zod'
import { Name, PersonId, SignInId } from '../ids.ts'
import { OwnRights } from './rights.ts'
import { RoleName } from './tokens.ts'

/** What a person is called when signing in: a name or an e-mail address; capitals make no difference. */
export const PersonName = z
  .string()
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9._@+-]{0,125}[a-z0-9])?$/, 'letters, digits, ".", "_", "-", "+" and "@", 1 to 127 characters')

/** Long enough for any password, short enough that hashing it is no attack. */
const Password = z.string().min(1).max(1_024)
const DisplayName = z.string().trim().max(127)
const Email = z.union([z.literal(''), z.email().max(254)])

export const PersonView = z.object({
  id: PersonId,
  name: z.string(),
  displayName: z.string(),
  email: z.string().nullable(),
  role: RoleName,
  disabled: z.boolean(),
  /** `once`: it must be changed when it is used. */
  password: z.enum(['none', 'once', 'set']),
  /** The OpenID Connect provider's issuer, of those who come from one. */
  issuer: z.string().nullable(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  signedInAt: z.iso.datetime().nullable(),
})
export type PersonView = z.infer<typeof PersonView>

/** One person by name: with what lists leave out. */
export const PersonDetail = PersonView.extend({
  /** By `source`: who says so, people here or the OpenID Connect provider. In both ways it stands twice. */
  groups: z.array(z.object({ name: Name, source: z.enum(['local', 'oidc']) })),
})
export type PersonDetail = z.infer<typeof PersonDetail>

export const PersonCreate = z.strictObject({
  name: PersonName,
  displayName: DisplayName.default(''),
  email: Email.default(''),
  role: RoleName,
  /** Left out: one is made, good for one sign-in, and the answer shows it. */
  password: Password.optional(),
})
export type PersonCreate = z.input<typeof PersonCreate>

/** The only answer that holds a password, and only one that was made here. */
export const PersonCreated = PersonView.extend({ oncePassword: z.string().optional() })
export type PersonCreated = z.infer<typeof PersonCreated>

export const PersonChange = z.strictObject({
  displayName: DisplayName.optional(),
  email: Email.optional(),
  role: RoleName.optional(),
  disabled: z.boolean().optional(),
})
export type PersonChange = z.input<typeof PersonChange>

/** How one can sign in here; for the pages before anybody is known. */
export const SignInWays = z.object({
  /** True until there is a person: the administrator's token makes the first. */
  firstPerson: z.boolean(),
  providers: z.array(z.object({ name: Name, title: z.string() })),
})
export type SignInWays = z.infer<typeof SignInWays>

export const SignInRequest = z.strictObject({
  name: z.string().min(1).max(254),
  password: Password,
  /** Becomes the password, if the old one is right. Needed where that was good for one sign-in only. */
  newPassword: Password.optional(),
  /** `cookie`: for a browser, out of reach of its scripts. `token`: for a program, in the answer. */
  as: z.enum(['cookie', 'token']).default('token'),
})
export type SignInRequest = z.input<typeof SignInRequest>

export const SignInView = z.object({
  id: SignInId,
  /** `password`, or the name of the OpenID Connect provider. */
  way: z.string(),
  createdAt: z.iso.datetime(),
  usedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  address: z.string().nullable(),
  /** What the browser or program calls itself. */
  agent: z.string(),
  /** The one that asks. */
  current: z.boolean(),
})
export type SignInView = z.infer<typeof SignInView>

export const SignedIn = z.object({
  name: z.string(),
  displayName: z.string(),
  role: RoleName,
  expiresAt: z.iso.datetime(),
  /** Only with `as: "token"`, and only in this answer. */
  token: z.string().optional(),
})
export type SignedIn = z.infer<typeof SignedIn>

export const PasswordChange = z.strictObject({ password: Password, newPassword: Password })
export type PasswordChange = z.input<typeof PasswordChange>

export const SignInSettings = z.object({
  /** A sign-in that was not used for so long ends. */
  idleSeconds: z.int().min(60).max(31_536_000),
  /** And each ends at this age. */
  lifeSeconds: z.int().min(60).max(31_536_000),
})
export type SignInSettings = z.infer<typeof SignInSettings>
export const SignInSettingsChange = z.strictObject(SignInSettings.partial().shape)
export type SignInSettingsChange = z.infer<typeof SignInSettingsChange>

/** Who the service takes one for. */
export const WhoAmI = z.object({
  name: z.string(),
  kind: z.enum(['person', 'token']),
  role: RoleName,
  /** Null for tokens of programs. */
  signIn: SignInId.nullable(),
  may: OwnRights,
})
export type WhoAmI = z.infer<typeof WhoAmI>
