import { z } from 'zod'
import { Name } from '../ids.ts'
import { RoleName } from './tokens.ts'

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/

const Issuer = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || LOOPBACK.test(new URL(text).hostname), 'must be https://')
  .refine((text) => !/[?#]/.test(text), 'must have no query and no fragment')

/** Where the service finds the client secret: never in its database. */
export const SecretReference = z
  .string()
  .regex(
    /^(env:POSTERN_OIDC_[A-Z0-9_]{1,100}|file:[A-Za-z0-9][A-Za-z0-9._-]{0,100})$/,
    'env:POSTERN_OIDC_… or file:NAME (in the folder "secrets" of the data folder)',
  )

const ClaimName = z.string().min(1).max(200)
const Group = z.string().min(1).max(200)

/** An OpenID Connect provider whose people may sign in. */
export const OidcProvider = z.strictObject({
  /** Where its discovery document is: ISSUER/.well-known/openid-configuration. */
  issuer: Issuer,
  clientId: z.string().min(1).max(500),
  /** Empty: a public client, which PKCE alone protects. */
  secret: z.union([z.literal(''), SecretReference]).default(''),
  /** What people see on the button. */
  title: z.string().trim().max(100).default(''),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/))
    .max(50)
    .default(['openid', 'profile', 'email']),
  nameClaim: ClaimName.default('preferred_username'),
  emailClaim: ClaimName.default('email'),
  groupsClaim: ClaimName.default('groups'),
  /**
   * Who may come: a member of one of these groups or of one that `roles` names, or somebody with a verified e-mail address of one of these
   * domains. `*` among the domains: everybody whom the provider knows. Nobody, where nothing is said.
   */
  allowGroups: z.array(Group).max(1_000).default([]),
  allowDomains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^(\*|[a-z0-9.-]{1,253})$/, 'a domain such as example.com, or *'),
    )
    .max(1_000)
    .default([]),
  /** The highest of one's groups counts, at each sign-in. Empty: a person keeps the role that an administrator gave. */
  roles: z
    .record(Group, RoleName)
    .refine((roles) => Object.keys(roles).length <= 1_000, 'at most 1,000 groups')
    .default({}),
  /** Of those whose groups give none. `none`: only what is given to them and their groups on gateways and stores; `refuse`: they may not come. */
  defaultRole: z.enum([...RoleName.options, 'refuse']).default('none'),
})
export type OidcProvider = z.output<typeof OidcProvider>
export type OidcProviderPut = z.input<typeof OidcProvider>

export const OidcProviderView = OidcProvider.extend({
  name: Name,
  /** What the provider must let people come back to. */
  redirectUri: z.string(),
  createdAt: z.iso.datetime(),
})
export type OidcProviderView = z.infer<typeof OidcProviderView>

/** Brings the code that the browser left at the command line's loopback port, and proves who asked for it (RFC 8252, RFC 7636). */
export const OidcHandover = z.strictObject({ code: z.string().min(1).max(200), verifier: z.string().min(43).max(128) })
export type OidcHandover = z.infer<typeof OidcHandover>

/** Shown by the command line and by the page that asks whether it may sign in: the same two are the same program. */
export const compareCode = (challenge: string): string => challenge.slice(0, 8)
