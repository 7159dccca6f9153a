import java.util.Map;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;

/** Finalizes features of a running cluster, as kafka-features does. */
final class Features {
    private Features() {
    }

    /** Returns when every broker that answers has the level; a level lower than the present one is allowed. */
    static void set(Admin admin, String feature, short level) throws Exception {
        var metadata = admin.describeFeatures().featureMetadata().get();
        var finalized = metadata.finalizedFeatures().get(feature);
        short present = finalized == null ? 0 : finalized.maxVersionLevel();
        if (present == level) {
            return;
        }
        var type = level > present ? FeatureUpdate.UpgradeType.UPGRADE : FeatureUpdate.UpgradeType.SAFE_DOWNGRADE;
        admin.updateFeatures(Map.of(feature, new FeatureUpdate(level, type)), new UpdateFeaturesOptions())
            .all().get();
    }

    /** The highest level that the node which answers supports. */
    static short latest(Admin admin, String feature) throws Exception {
        return admin.describeFeatures().featureMetadata().get().supportedFeatures().get(feature).maxVersion();
    }
}
