"""Words the seeded account is made of. Domains end in .example and numbers are 555-01xx: nobody's."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Aaron Abigail Adele Aisha Alan Alejandra Amara Amit Ana Andre Angela Anton Arjun Ashley Astrid "
    "Beatriz Ben Bianca Brandon Brenda Bruno Caleb Camila Carla Carlos Caroline Cedric Chen Chidi Chloe "
    "Clara Colin Dana Daniel Darius Deborah Derek Diego Dmitri Donna Edith Eduardo Elena Eli Elise Emeka "
    "Emil Erin Esther Ethan Eva Fatima Felix Fiona Francis Frida Gabriel Gemma George Gita Grace Greta "
    "Hannah Harold Hassan Heidi Helen Henrik Hiro Ian Imani Ines Ingrid Irene Isaac Ivan Jack Jamal Janet "
    "Jasmine Javier Jean Jerome Joan Joel Jonas Jorge Josephine Joy Judith Julia Kai Karen Karl Kavita "
    "Keith Kenji Kim Kofi Kristen Lara Larry Latoya Laura Leah Leon Lila Linda Liu Logan Lorenzo Louis "
    "Lucia Lydia Maeve Malik Manuel Marco Margaret Maria Mark Marta Mateo Maya Megan Mei Miguel Mila "
    "Miriam Mohamed Monica Nadia Naomi Natalie Neil Nia Nicholas Nina Noah Nora Olga Oliver Omar Oscar "
    "Paige Pamela Patrick Paul Pedro Petra Philip Quinn Rachel Rafael Ravi Rebecca Renata Rita Robert "
    "Rosa Roy Ruth Sabine Salma Samir Sandra Sasha Sean Selma Sergio Shira Simon Sofia Stefan Stella "
    "Sunil Susan Tamara Tariq Teresa Theo Thomas Tina Tobias Tyrone Uma Ursula Valerie Victor Vivian "
    "Walter Wei Wendy Yara Yusuf Zach Zoe Zoë Søren Łukasz Renée Björn Iñigo François Márta Sigríður Åsa "
    "Štěpán"
)
LAST = _words(
    "Abbott Adeyemi Aguilar Ahmed Alvarez Andersen Archer Baker Banerjee Barnes Bauer Becker Bennett Berg "
    "Bishop Blake Bouchard Boyd Bradley Brennan Brooks Burke Byrne Cabrera Calloway Campbell Carver "
    "Castillo Chandra Chang Chavez Clarke Cohen Coleman Contreras Cooper Cruz Dalton Das Davies Delgado "
    "Desai Diaz Dixon Donovan Doyle Duarte Dunn Edwards Eklund Ellis Espinoza Evans Farrell Ferreira "
    "Fischer Fleming Flores Foster Fox Frazier Fuentes Gallagher Garcia Gibson Gill Gomez Goodwin Graham "
    "Grant Greene Griffin Gupta Haddad Hale Hansen Harper Hartmann Hayes Henry Herrera Hoffman Holt "
    "Hughes Hunt Ibrahim Ingram Iqbal Jackson Jacobs Jensen Jimenez Johansson Jordan Kapoor Keller Kelly "
    "Kennedy Khan Kim Klein Knight Kowalski Kumar Lambert Larsen Lawson Lee Lindgren Lopez Lowe Lund "
    "Lynch MacDonald Malone Marino Marsh Martinez Mason Mbeki McCarthy Medina Mehta Mendez Meyer Miller "
    "Mitchell Molina Moore Morales Morgan Moreau Murphy Nair Nakamura Navarro Nelson Nguyen Nielsen Novak "
    "Nunez Obi Olsen Ortega Osei Owens Palmer Park Patel Pearson Perez Petrov Pham Phillips Pierce Porter "
    "Powell Quigley Ramirez Reed Reyes Rhodes Rivera Roberts Robinson Rojas Romero Rossi Russo Ryan "
    "Salazar Sanders Santos Sato Schmidt Schultz Shah Shaw Silva Simmons Singh Sokolov Soto Spencer Stein "
    "Stone Suzuki Swanson Tanaka Tate Thompson Torres Tran Tucker Vargas Vasquez Vega Vogel Wagner "
    "Wallace Walsh Wang Ward Weaver Weber Wells Whitaker Wong Wright Yamamoto Yang Young Zhang Zimmerman "
    "O'Brien O'Connor D'Angelo Müller García Núñez Þórsdóttir Çelik Nowak-Kowalczyk Smith-Jones"
)
PLACE_WORDS = _words(
    "Alder Amber Anchor Apex Arbor Ash Aspen Aurora Autumn Bay Beacon Birch Blackwood Blue Ridge Bramble "
    "Bridgeport Brightwell Brook Canyon Cardinal Cascade Cedar Chestnut Clearview Cliffside Clover "
    "Coastal Cobalt Compass Copper Coral Cornerstone Cottonwood Crescent Crestline Cypress Dawn Delta "
    "Dogwood Driftwood Eagle Eastgate Echo Elm Ember Evergreen Fairview Falcon Fern Fieldstone Foothill "
    "Forge Foxglove Frontier Garnet Glacier Glenwood Golden Granite Greenfield Grove Halcyon Harvest "
    "Hawthorn Hazel Heritage Heron Highland Hillcrest Hollow Horizon Indigo Iron Ivy Jade Juniper "
    "Keystone Kingfisher Lakeside Lantern Larch Laurel Lighthouse Linden Lone Pine Lotus Magnolia Maple "
    "Marigold Meadow Meridian Mesa Midtown Millstone Mission Moonlight Mosaic Mulberry Northgate "
    "Northstar Oakmont Ocean Olive Onyx Orchard Osprey Overlook Pacific Paragon Parkside Pebble Pelican "
    "Pinecrest Pioneer Pinnacle Plum Poplar Prairie Quarry Quill Rainier Raven Redwood Ridgeline "
    "Riverbend Rosewood Rowan Saffron Sage Sandstone Sapphire Sequoia Shoreline Silver Sparrow Spruce "
    "Starling Stonebridge Summit Sunrise Sycamore Tamarack Terrace Thistle Thornton Timber Trillium Union "
    "Valley Vantage Verdant Vista Walnut Waterfront Westbrook Whitestone Wildflower Willow Windward "
    "Winterset Wren Yarrow Zenith"
)
# (what the firm is, what its domain says)
TRADES = (
    ("Dental", "dental"), ("Family Dentistry", "dentistry"), ("Orthodontics", "ortho"),
    ("Veterinary Clinic", "vet"), ("Pediatrics", "pediatrics"), ("Physical Therapy", "pt"),
    ("Chiropractic", "chiro"), ("Eye Care", "eyecare"), ("Pharmacy", "pharmacy"), ("Law", "law"),
    ("Legal Partners", "legal"), ("Accounting", "accounting"), ("Tax Advisors", "tax"),
    ("Wealth Management", "wealth"), ("Insurance Agency", "insurance"), ("Realty", "realty"),
    ("Property Management", "properties"), ("Architects", "architects"),
    ("Engineering", "engineering"), ("Construction", "construction"), ("Roofing", "roofing"),
    ("Plumbing", "plumbing"), ("Electric", "electric"), ("Heating & Air", "hvac"),
    ("Landscaping", "landscaping"), ("Tree Service", "trees"), ("Auto Repair", "auto"),
    ("Motors", "motors"), ("Logistics", "logistics"), ("Freight", "freight"),
    ("Machine Works", "machine"), ("Metal Fabrication", "metalfab"), ("Printing", "printing"),
    ("Signs", "signs"), ("Bakery", "bakery"), ("Catering", "catering"), ("Brewing", "brewing"),
    ("Coffee Roasters", "coffee"), ("Bistro", "bistro"), ("Florist", "florist"), ("Salon", "salon"),
    ("Fitness", "fitness"), ("Yoga", "yoga"), ("Montessori", "montessori"), ("Academy", "academy"),
    ("Community Church", "church"), ("Food Bank", "foodbank"), ("Animal Shelter", "shelter"),
    ("Credit Union", "cu"), ("Title & Escrow", "title"), ("Marketing", "marketing"),
    ("Design Studio", "design"), ("Photography", "photo"), ("Media", "media"),
    ("Staffing", "staffing"), ("Security", "security"), ("Storage", "storage"),
    ("Travel", "travel"), ("Books", "books"), ("Hardware", "hardware"),
)  # fmt: skip
SUFFIXES = ("", "", "", " LLC", " Inc.", " Group", " & Sons", " Co.", ", P.C.", " Partners")
CITIES = (
    ("Seattle", "WA", "98104"), ("Tacoma", "WA", "98402"), ("Portland", "OR", "97205"),
    ("Boise", "ID", "83702"), ("Denver", "CO", "80202"), ("Austin", "TX", "78701"),
    ("Tulsa", "OK", "74103"), ("Omaha", "NE", "68102"), ("Madison", "WI", "53703"),
    ("Columbus", "OH", "43215"), ("Albany", "NY", "12207"), ("Buffalo", "NY", "14202"),
    ("Hartford", "CT", "06103"), ("Boston", "MA", "02110"), ("Raleigh", "NC", "27601"),
    ("Savannah", "GA", "31401"), ("Tampa", "FL", "33602"), ("Mobile", "AL", "36602"),
    ("Nashville", "TN", "37203"), ("Tucson", "AZ", "85701"), ("Reno", "NV", "89501"),
    ("Fresno", "CA", "93721"), ("Honolulu", "HI", "96813"), ("San Juan", "PR", "00901"),
)  # fmt: skip
STREETS = (
    "Main Street", "Alder Street", "2nd Avenue", "Harbor Way", "Mill Road", "Commerce Drive",
    "Lakeview Blvd",
)  # fmt: skip
AREAS = _words(
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 "
    "248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 "
    "315 316 317 318 319 320 321 323 325 330 334 336 337 352 360 361 386 401 402 404 405 406 407 408 409 "
    "410 412 413 414 415 417 419 423 425 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 "
    "508 509 510 512 513 515 516 517 518 520 530 540 541 559 561 562 563 573 574 580 585 586 601 602 603 "
    "605 606 607 608 609 610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651 660 661 "
    "662 678 682 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719"
)
TITLES = (
    "Owner", "Office Manager", "Controller", "Front Desk", "Operations Manager", "IT Contact",
    "Bookkeeper", "Director", "Technician", "Receptionist", "VP Sales", "Warehouse Lead",
)  # fmt: skip
ROLE_BOXES = ("info", "office", "billing", "accounts", "frontdesk", "hello", "admin", "sales")
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com")
NOTES = (
    "Door code 2290#, ask for the key to the server closet.",
    "Invoice goes to the bookkeeper.\nDo not call on Fridays.", "Prefers e-mail.",
    "Wi-Fi guest password is on the whiteboard.", "Renewal in spring; wants a quote for backups.",
)  # fmt: skip
ODD_BUSINESSES = (
    'Tom & "Jerry" <Auto> Repair', "=SUM(A1) Accounting", "株式会社山田", "Ærø Møbler ApS",
    "Zażółć Gęślą Sp. z o.o.", "مكتبة النور", "  Trailing Space Plumbing  ", "O'Shaughnessy's Pub",
    "🐝 Hive Honey Co", "@Home Realty", "-Dash Couriers", "+1 Fitness", "ΑΒΓ Ναυτιλιακή",
    "Straße & Söhne GmbH",
)  # fmt: skip
ODD_PEOPLE = (
    "Willem van der Berg", "SMITH, JOHN", "Dr. Miriam Osei-Bonsu", "José Ángel Núñez Ávila", "李小龍",
    "Nguyễn Thị Ánh", "Madonna", "Bobby <b>Tables</b>", "=cmd|' /C calc'!A0",
    "Mary  Ann   Double  Space", "jean-luc o'neill jr.",
    "Prof. Dr. Ing. Karl-Heinz Freiherr von und zu Guttenfels III", "Søren Ærøskøbing", "עמית כהן",
)  # fmt: skip
DEALS = (
    "Office move: network and phones", "New firewall and VPN", "Managed services, {n} seats",
    "Replace file server", "Microsoft 365 migration", "Backup and disaster recovery",
    "Wi-Fi for the warehouse", "Phone system quote", "Security awareness training",
    "{n} new laptops", "HIPAA assessment", "Cabling for second floor", "Camera system",
    "Co-managed IT proposal", "Cyber insurance questionnaire",
)  # fmt: skip
MAILS = (
    "Printer offline", "Cannot log in", "Invoice question", "Outlook keeps asking for password",
    "Slow internet", "New employee starts Monday", "Please reset my password",
    "Scanner to e-mail broken", "Zoom has no sound", "Suspicious e-mail, is this real?",
    "Your quote", "Shared drive missing", "VPN drops every hour", "Laptop screen cracked",
    "Server room is hot",
)  # fmt: skip
SPAM = (
    "Grow your SEO traffic", "Final notice: domain listing", "You have (1) new voicemail",
    "Partnership proposal",
)  # fmt: skip
MAILBOXES = ((7714, "Support"), (7714, "Support"), (7714, "Support"), (7715, "Sales"), (7722, "Billing"))
# A drop-down's value is the id of its answer; /settings tells the words.
STATUS_ANSWERS = {35984: "Managed", 35985: "Block hours", 35986: "Break-fix", 35987: "Former"}
# (id, name, group); e-mail is made from the name. The first one owns the first token.
USERS = (
    (1041, "Alicia Moreno", "Admins"), (1044, "Bob Tillman", "Admins"),
    (1047, "Charlie Osgood", "Technicians"), (1052, "Dana Whitcomb", "Sales"),
    (1058, "Evan Sorensen", "Sales"), (1063, "Farah Aziz", "Sales"),
    (1069, "Grant Mulligan", "Technicians"), (1074, "Hye-jin Park", "Technicians"),
    (1080, "Iris Calder", "Marketing"), (1085, "Jules Fontaine", "Technicians"),
    (1091, "Kwame Asante", "Technicians"), (1096, "Lena Vogt", "Dispatch"),
    (1102, "Marcus Bell", "Technicians"), (1107, "Noor Rahman", "Sales"),
)  # fmt: skip
USERS_WHO_LEFT = (1019, 1026, 1033)
MSP_DOMAIN = "harborpoint-it.example"
