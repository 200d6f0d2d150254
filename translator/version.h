// The version of the translator, set by the build.
#ifndef FERMATA_TRANSLATOR_VERSION_H_
#define FERMATA_TRANSLATOR_VERSION_H_

#ifndef FERMATA_VERSION
#define FERMATA_VERSION "development"
#endif

#endif  // FERMATA_TRANSLATOR_VERSION_H_
