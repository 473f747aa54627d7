// An OpenID Connect provider for the journeys: `node provider.mjs ISSUER REDIRECT`.
//
// Whoever says that they are account 7 is; `/accounts?account=7&email=moira@fife.example` says whose that is from now on.
import Provider from 'oidc-provider'

const [issuer, redirect] = process.argv.slice(2)
const emails = new Map()
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'lgdp',
    client_secret: 'a secret between the two',
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  // The claims come in the token itself, as Entra's do.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_, account) => ({
    accountId: account,
    claims: () => {
      const email = emails.get(account)
      return { sub: account, email, email_verified: !email.startsWith('unverified') }
    },
  }),
  cookies: { keys: ['a key'] },
})
provider.use(async (ctx, next) => {
  if (ctx.path !== '/accounts') return next()
  emails.set(ctx.query.account, ctx.query.email)
  ctx.body = 'so it is'
})
provider.listen(new URL(issuer).port, '127.0.0.1')
