/* --mount of `docker run`: one line of comma separated key=value pairs. */
#include <stdlib.h>

#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef enum MountValue {
        MOUNT_TYPE,
        MOUNT_TEXT,
        MOUNT_BOOL, /* may stand without a value */
        MOUNT_FLAG, /* needs one */
        MOUNT_PAIR,
        MOUNT_BYTES,
        MOUNT_OCTAL,
} MountValue;

/* Where each key leads. group: which mount type it is for (NULL = all), and the member it is in. */
static const struct MountKey {
        const char *name;
        const char *group, *parent;
        const char *field;
        MountValue value;
} mount_keys[] = {
        { "type", NULL, NULL, "Type", MOUNT_TYPE },
        { "source", NULL, NULL, "Source", MOUNT_TEXT },
        { "src", NULL, NULL, "Source", MOUNT_TEXT },
        { "target", NULL, NULL, "Target", MOUNT_TEXT },
        { "dst", NULL, NULL, "Target", MOUNT_TEXT },
        { "destination", NULL, NULL, "Target", MOUNT_TEXT },
        { "readonly", NULL, NULL, "ReadOnly", MOUNT_BOOL },
        { "ro", NULL, NULL, "ReadOnly", MOUNT_BOOL },
        { "consistency", NULL, NULL, "Consistency", MOUNT_TEXT },
        { "bind-propagation", "bind", "BindOptions", "Propagation", MOUNT_TEXT },
        { "bind-nonrecursive", "bind", "BindOptions", "NonRecursive", MOUNT_FLAG },
        { "volume-nocopy", "volume", "VolumeOptions", "NoCopy", MOUNT_BOOL },
        { "volume-label", "volume", "VolumeOptions", "Labels", MOUNT_PAIR },
        { "volume-driver", "volume", "VolumeOptions", "DriverConfig", MOUNT_TEXT },
        { "volume-opt", "volume", "VolumeOptions", "DriverConfig", MOUNT_PAIR },
        { "tmpfs-size", "tmpfs", "TmpfsOptions", "SizeBytes", MOUNT_BYTES },
        { "tmpfs-mode", "tmpfs", "TmpfsOptions", "Mode", MOUNT_OCTAL },
};

static const struct MountKey *mount_key_find(const char *s, size_t size) {
        for (size_t i = 0; i < ELEMENTSOF(mount_keys); i++)
                if (strlen(mount_keys[i].name) == size && strncmp(mount_keys[i].name, s, size) == 0)
                        return &mount_keys[i];
        return NULL;
}

static int set_pair(json_t *object, const char *value, Error *reterr) {
        const char *equals = strchr(value, '=');
        _cleanup_free_ char *key = NULL;

        if (!object)
                return -ENOMEM;
        if (value[0] == '=' || value[0] == '\0')
                return error_set(reterr, -EINVAL, "'%s' is not KEY=VALUE", value);
        key = equals ? str_ndup(value, (size_t) (equals - value)) : str_dup(value);
        if (!key)
                return -ENOMEM;
        return docker_json_set(object, key, json_string(equals ? equals + 1 : ""));
}

static int set_octal(json_t *in, const char *field, const char *value, Error *reterr) {
        char *end = NULL;
        unsigned long mode = strtoul(value, &end, 8);

        if (value[0] == '\0' || *end != '\0' || mode > 07777)
                return error_set(reterr, -EINVAL, "invalid mode '%s'", value);
        return docker_json_set(in, field, json_integer((json_int_t) mode));
}

static int set_text(json_t *in, const struct MountKey *key, const char *value) {
        if (str_eq(key->field, "DriverConfig")) {
                in = docker_json_object(in, key->field);
                return in ? docker_json_set(in, "Name", json_string(value)) : -ENOMEM;
        }
        return docker_json_set(in, key->field, json_string(value));
}

static int set_value(json_t *in, const struct MountKey *key, const char *value, Error *reterr) {
        int64_t bytes;
        bool b;
        int r;

        switch (key->value) {
        case MOUNT_TYPE:
        case MOUNT_TEXT:
                return set_text(in, key, value);
        case MOUNT_BOOL:
        case MOUNT_FLAG:
                r = docker_value_bool(value, &b, reterr);
                if (r < 0 || !b)
                        return r;
                return docker_json_set(in, key->field, json_true());
        case MOUNT_PAIR:
                in = docker_json_object(in, key->field);
                if (in && str_eq(key->name, "volume-opt"))
                        in = docker_json_object(in, "Options");
                return set_pair(in, value, reterr);
        case MOUNT_BYTES:
                r = docker_value_bytes(value, &bytes, reterr);
                if (r < 0)
                        return r;
                return docker_json_set(in, key->field, json_integer(bytes));
        case MOUNT_OCTAL:
                return set_octal(in, key->field, value, reterr);
        default:
                return -EINVAL;
        }
}

/* One field; options of another type's group are noted in *group and checked when the type is known. */
static int mount_field(json_t *mount, const char *field, const char **group, Error *reterr) {
        const char *equals = strchr(field, '=');
        size_t size = equals ? (size_t) (equals - field) : strlen(field);
        const struct MountKey *key = mount_key_find(field, size);
        json_t *in = mount;

        if (!equals && (!key || key->value != MOUNT_BOOL))
                return error_set(reterr, -EINVAL, "'%s' is not KEY=VALUE", field);
        if (!key)
                return error_set(reterr, -EINVAL, "unexpected key '%.*s'", (int) size, field);
        if (key->group) {
                if (*group && !str_eq(*group, key->group))
                        return error_set(reterr, -EINVAL, "'%s-*' and '%s-*' options do not mix",
                                         *group, key->group);
                *group = key->group;
                in = docker_json_object(mount, key->parent);
                if (!in)
                        return -ENOMEM;
        }
        return set_value(in, key, equals ? equals + 1 : "true", reterr);
}

int docker_value_mount(const char *s, json_t **ret, Error *reterr) {
        _cleanup_(strv_done) Strv fields = STRV_INIT;
        _cleanup_json_ json_t *mount = json_pack("{s:s}", "Type", "volume");
        const char *group = NULL, *type;
        int r;

        if (!mount)
                return -ENOMEM;
        r = docker_value_csv(s, &fields, reterr);
        for (size_t i = 0; r >= 0 && i < fields.n; i++)
                r = mount_field(mount, fields.items[i], &group, reterr);
        if (r < 0)
                return r;
        type = json_string_value(json_object_get(mount, "Type"));
        if (!str_eq(type, "bind") && !str_eq(type, "volume") && !str_eq(type, "tmpfs") &&
            !str_eq(type, "npipe"))
                return error_set(reterr, -EINVAL, "mount type '%s' is none of bind, volume, tmpfs",
                                 type);
        if (str_empty(json_string_value(json_object_get(mount, "Target"))))
                return error_set(reterr, -EINVAL, "target is required");
        if (group && !str_eq(group, type))
                return error_set(reterr, -EINVAL, "'%s-*' options do not go with mount type '%s'",
                                 group, type);
        *ret = TAKE_PTR(mount);
        return 0;
}
