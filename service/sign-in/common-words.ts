/** What guessers try first, of any length: passwords of twelve characters that are not chosen are mostly these with digits behind. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `password passwort passw0rd passwd pass motdepasse contrasena senha parola wachtwoord haslo heslo salasana losenord kennwort
  admin administrator root user guest test testing tester demo login master system service server superuser sysadmin operator manager
  postern gateway portal database postgres postgresql mysql oracle sqlserver azure
  qwerty qwertz azerty asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qweasd qwe asd zxc wasd abc abcd abcdef abcxyz xyz
  letmein welcome willkommen bienvenue changeme change default secret geheim please trustno trust access enter open opensesame
  iloveyou loveyou love lovely ichliebedich jetaime teamo princess prinzessin sunshine sunflower rainbow butterfly flower angel baby babygirl
  dragon monkey shadow tiger lion eagle wolf bear horse dog cat kitty puppy snoopy spider phoenix unicorn
  football fussball soccer baseball basketball hockey tennis golf liverpool chelsea arsenal barcelona realmadrid juventus bayern
  superman batman spiderman starwars pokemon pikachu minecraft fortnite naruto matrix harrypotter
  michael jennifer jessica daniel thomas robert charlie jordan hunter andrew joshua matthew ashley nicole michelle
  summer winter spring autumn sommer herbst january february march april june july august september october november december
  monday tuesday wednesday thursday friday saturday sunday montag freitag sonntag today
  hello hallo bonjour hola whatever nothing freedom computer internet google facebook linkedin microsoft windows samsung apple iphone android
  cheese chocolate coffee cookie banana orange pepper ginger money dollar gold silver diamond ferrari mercedes porsche mustang corvette harley
  mypass mypassword newpassword temp temporary sample example foobar foo bar blah blahblah company office work business
  the my new your our is and one two three zero`
    .split(/\s+/)
    .filter((word) => word !== ''),
)
