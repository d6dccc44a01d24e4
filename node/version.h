/*
 * node/version.h - what this program is called among its releases; nodes tell it to their hub.
 */
#ifndef NODE_VERSION_H
#define NODE_VERSION_H

#define NODE_VERSION "0.1.0"

#endif /* NODE_VERSION_H */
