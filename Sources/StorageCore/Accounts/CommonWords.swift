/// Words that common passwords are made of: what people love, fear, play, watch, drive and are called.
enum CommonWords {
    /// Lower-case words with white space between them.
    static let text = """
        pass passw password passwort passwords mypassword thepassword newpassword passphrase passcode secret secrets topsecret
        access admin administrator adminadmin root rootroot toor user username guest login logon logmein signin welcome
        letmein letme open opensesame sesame default changeme change temp temporary test tester testing testtest demo sample
        system server manager master masterkey super superuser superman supervisor security secure private public public
        internet network computer computers windows linux ubuntu debian android iphone samsung nokia motorola google facebook
        twitter myspace youtube yahoo gmail hotmail outlook microsoft apple macintosh oracle cisco database mysql postgres
        qwerty qwert asdf asdfgh zxcv zxcvbn azerty qazwsx qaz wsx abc abcd abcde abcdef aaa xxx qwe asd zxc wasd
        love loveme loveyou iloveu iloveyou ilovegod ilovejesus ilovehim ilover lover lovely lovelove lovers mylove truelove
        babygirl babyboy baby babe babyblue sweet sweetheart sweetie sweety sweetpea honey honeybee darling sugar candy cutie
        cutiepie princess prince princesa queen king kingdom kings angel angels angela angelo heaven heavenly devil demon
        satan lucifer jesus jesuschrist christ christian church faith bible blessed grace glory gospel lord godisgood
        hello hellohello helloworld hola bonjour ciao goodbye byebye thanks please nothing something anything whatever
        dragon dragons dragonball dragonfly monkey monkeys donkey tiger tigers tigger lion lions panther panthers leopard cougar
        jaguar cheetah wolf wolves wolverine wolfpack bear bears panda koala elephant giraffe zebra horse horses pony mustang
        stallion eagle eagles falcon falcons hawk hawks raven ravens phoenix robin sparrow penguin penguins dolphin dolphins
        shark sharks whale turtle turtles lizard snake viper cobra python spider spiderman scorpion butterfly ladybug bumblebee
        kitten kittens kitty kittycat hellokitty cat cats doggy doggie doggies dog dogs puppy puppies puppy rabbit bunny hamster
        mouse mickey mickeymouse minnie pluto goofy donald bambi tweety snoopy garfield scooby scoobydoo pooh winnie eeyore
        football futbol fussball soccer baseball basketball volleyball softball hockey tennis golf golfer golfing cricket rugby
        boxing wrestling racing runner running swimmer swimming skater skate skateboard snowboard surfer surfing cycling sports
        chelsea arsenal liverpool everton tottenham manchester united manutd mancity barcelona barca realmadrid madrid juventus
        milan inter bayern dortmund ajax celtic rangers benfica porto galatasaray fenerbahce besiktas spartak zenit dynamo
        yankees redsox mets dodgers giants cubs braves cardinals astros phillies lakers celtics bulls knicks heat spurs
        cowboys steelers packers patriots broncos raiders chargers chiefs redskins bengals browns saints vikings buccaneers
        batman robin superhero spiderman ironman wonderwoman catwoman hulk avengers captain america thor loki joker deadpool
        starwars starwars skywalker vader darthvader yoda jedi jedimaster obiwan anakin hansolo chewbacca startrek enterprise
        spock kirk picard matrix neo trinity morpheus gandalf frodo bilbo legolas aragorn sauron hobbit lordoftherings
        harry harrypotter potter hermione hogwarts dumbledore voldemort gryffindor slytherin snape sherlock watson bond jamesbond
        pokemon pikachu charizard digimon naruto sasuke goku vegeta bleach onepiece luffy zelda link mario supermario luigi
        sonic sega nintendo playstation xbox gamer games game gaming minecraft fortnite roblox warcraft starcraft diablo
        counterstrike counter strike halo callofduty battlefield overwatch lineage dota steam killer sniper assassin warrior
        ninja samurai knight wizard magic magician merlin dungeon slayer hunter hunting shooter soldier army navy marine marines
        ranger rangers airforce military police fireman firefighter doctor nurse teacher student school college university
        freedom liberty justice peace power powerful strong strength thunder lightning storm hurricane tornado rainbow
        sunshine sunny sunset sunrise sunflower moonlight moon stars star starlight galaxy universe cosmos planet saturn
        jupiter mercury venus apollo zeus athena hercules atlas titan titanic odin freya ragnarok pharaoh egypt
        summer winter spring autumn january february march april june july august september october november december
        monday tuesday wednesday thursday friday saturday sunday holiday birthday christmas santa halloween easter vacation
        flower flowers rose roses daisy lily violet orchid tulip jasmine lavender cherry cherries blossom strawberry raspberry
        blueberry banana bananas orange oranges lemon lemonade apple apples pineapple mango peach peaches coconut watermelon
        chocolate cookie cookies cupcake muffin pancake cheese pizza hamburger burger bacon chicken turkey tomato potato pickle
        pepper drpepper ginger cinnamon vanilla caramel coffee starbucks cocacola coke pepsi sprite beer budweiser whiskey
        vodka tequila wine martini smirnoff heineken corona marlboro cigarette
        red blue green yellow purple pink black white silver golden gold brown gray grey orange crimson scarlet indigo
        blackcat blackdog blackjack blackie whitecat redhot bluesky bluebird bluemoon greenday purplerain pinkfloyd redrose
        diamond diamonds crystal emerald sapphire ruby pearl amber jade opal platinum titanium steel iron metal metallica
        nirvana slipknot korn linkinpark greenday beatles rolling stones ironmaiden acdc led zeppelin eminem tupac biggie
        rihanna beyonce britney madonna shakira justin justinbieber bieber onedirection jonas elvis presley michaeljackson
        music musica guitar piano drums drummer bass violin trumpet singer dance dancer dancing ballet rockstar rocknroll
        rock punk hiphop reggae techno metalhead jazz blues country
        ferrari porsche mercedes benz bmw audi volkswagen corvette camaro mustang chevy chevrolet ford honda toyota nissan
        mazda subaru suzuki yamaha kawasaki harley harleydavidson ducati lexus lamborghini maserati bugatti jeep dodge
        trucker truck trucks motorcycle racecar nascar speedy turbo nitro rocket
        money moneymoney cash dollar dollars million millionaire billion rich lucky luckyone lucky7 winner winners champion
        champions champ success business boss bossman bigboss trader broker casino poker jackpot blackjack joker vegas lasvegas
        london paris berlin moscow moskva madrid rome milano istanbul dallas chicago boston houston denver phoenix atlanta
        texas florida california arizona alaska hawaii newyork brooklyn america american england britain scotland ireland
        irish france french germany deutschland german spain spanish italy italia italian russia russian ukraine poland polska
        polish turkey turkiye brazil brasil mexico canada canadian australia india indian china chinese japan japanese korea
        africa asia europe pakistan indonesia thailand vietnam philippines iran israel greece sweden norway finland denmark
        michael michelle jordan jordan23 jessica jennifer ashley amanda samantha nicole daniel daniela danielle david davids
        joshua matthew andrew anthony joseph robert thomas william charles charlie richard george edward henry james jamie
        jason justin brandon kevin brian steven stephen stephanie patrick nathan nathaniel nicholas nicolas christopher
        christine christina chris benjamin benny alexander alexandra alexandria alexis alex alexandr alejandro sandra sasha
        natasha natalia natalie nathalie tatiana svetlana olga elena irina marina ekaterina anastasia anna annie hannah
        maria marie mariana marianne martha martin martina marcus mark maksim maxim maximus maxwell dmitry sergey vladimir
        ivan nikita oleg pavel roman ruslan timur victor victoria vladislav yulia ksenia denis artem andrey alina karina
        diana dennis daphne dakota crystal courtney chelsea cheyenne carlos carolina caroline catherine katherine kathleen
        cameron caitlin brittany brianna bradley bonnie bobby billy betty barbara bailey austin audrey ashton ariel antonio
        andrea andreas amber alyssa allison alicia albert adrian adriana adam abigail aaron arthur sophia sophie sofia
        simone simon shannon sharon shelby sebastian scott savannah sarah samuel sammy sally sabrina ryan rosemary ronald ronaldo
        roger rodney ricardo rebecca raymond rachel peter penelope pedro paula pauline patricia pamela oliver olivia oscar
        nelson monica molly miranda miguel megan melissa melanie maggie madison mackenzie louise lorenzo logan lindsey lindsay
        linda leonardo leonard lauren laura larry kristina kristin kimberly kelly keith kayla katie karen julian juliana julie
        juliet julia juan jose jorge jonathan johnny johnson john jesse jeremy jeffrey jasper janet jacob jackson jackie jack
        isabella isabelle isabel hunter howard holly hector heather harrison harold gregory gordon gloria gilbert gerald gabriel
        gabriela francis francisco francesca frank frankie fernando felix felicia evelyn eugene ernest erica eric emma emily
        elizabeth elisabeth elias eleanor eduardo edgar dylan douglas dorothy dominic dominique dolores destiny derek
        deborah debbie darren danny cynthia connor claudia claire chester cassandra cassie carmen calvin buster buddy brandy
        bruce brenda brooke boomer blake beverly bernard bella beatrice barney muhammad mohammed mohamed ahmed ali fatima
        hassan hussein ibrahim mustafa abdullah omar khan aisha maryam zeynep mehmet murat emre sultan krishna ganesh
        shadow shadows ghost spirit vampire zombie monster monsters creature mystery midnight nightmare darkness dark darkside
        death killer killme killyou suicide hatred hateyou hateme iloveme ihateyou fuck fuckoff fuckyou fucku fucker fuckme
        shit bullshit bitch bitches asshole bastard damn dammit sex sexy sexygirl sexyboy sexybitch sexsex porn pussy dick
        bigdick cock boobs tits naked nude playboy lesbian stripper
        happy happyday happiness smile smiley smiles funny fun crazy crazygirl insane loser stupid idiot cool coolguy coolio
        awesome amazing beautiful gorgeous pretty handsome perfect special favorite forever always never together friend
        friends friendship bestfriend bff family mother mommy mama father daddy papa brother sister sisters brothers
        children kids grandma grandpa husband wife wedding married single
        ncc1701 trustno trustnoone thx1138 bond007 agent007 hacker hackers hack cracker matrix zxcvb oracle phantom rebel
        stealth viking pirate pirates titans alien aliens predator terminator robocop rambo rocky gladiator spartan spartans
        troy braveheart scarface godfather goodfellas simpson simpsons homer bart southpark cartman futurama bender beavis
        butthead friends seinfeld kramer scrubs house lost heroes twilight edward cullen bellacullen hungergames katniss
        barbie disney disneyland cinderella snowwhite tinkerbell peterpan aladdin simba nemo shrek frozen elsa
        ocean beach island paradise river mountain mountains forest desert garden nature earth water fire fireball firebird
        phoenix flame ice iceman icecream snow snowball snowflake snowman cloud clouds rain raindrop wind
        electric electronic energy engine engineer machine robot android cyber digital pixel laser radar sonar signal
        station number numberone number1 one two three four five six seven eight nine zero hundred thousand
        first second third last final start begin enter exit escape return control delete insert shift space spacebar
        keyboard monitor printer laptop desktop notebook phone telephone mobile camera video movie movies radio television
        company office job work worker working employee customer client service support helpdesk help contact info
        account bank banking credit finance invoice payment market marketing sales shop shopping store storage files
        database backup upload download cloud hosting website webmaster domain email mail postmaster message
        parol parola motdepasse contrasena senha kennwort geheim hallo schatz liebe sommer passe soleil amour doudou chouchou
        azertyui marseille loulou nounours tequiero teamo amor amorcito corazon estrella mariposa bonita hermosa chocolate
        angelito princesita sunshine1 querida familia gatito perrito futbolista brasil flamengo corinthians palmeiras santos
        gremio vasco saopaulo amore ciaociao juventus forza napoli francesco giuseppe lyubov lubov privet solnyshko
        solnce kotenok zaika krasotka malysh nastya dasha masha katya lena sveta vova dima andrei serega marusya
        """
}
